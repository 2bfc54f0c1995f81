"""Checks of what a language model says against what is known: names that do not exist, results that never were.

Each answers with faults as sentences, which are sent back to the model; what stays faulty is not used.
"""

from agents.guards.facts import Fact, facts_of
from agents.guards.honesty import false_claims, false_statements, judged
from agents.guards.names import unknown_files, unknown_ids, unknown_names, unknown_trials

__all__ = [
    "Fact",
    "facts_of",
    "false_claims",
    "false_statements",
    "judged",
    "unknown_files",
    "unknown_ids",
    "unknown_names",
    "unknown_trials",
]
