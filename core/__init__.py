"""The vocabulary: records, events, errors, settings and the protocols of the roles. Imports nothing of ours."""
