"""The vocabulary: records, events, errors, settings, ids, and what a language model is asked.  Imports nothing of ours."""
