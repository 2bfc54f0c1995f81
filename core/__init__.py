"""The vocabulary: records, events, errors, settings, ids, what a language model is asked.  Imports nothing of ours."""
