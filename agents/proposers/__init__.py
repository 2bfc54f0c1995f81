"""Proposers: what to try next.  A portfolio, not one optimiser."""

from agents.proposers import (
    bayes,
    commenter,
    constants,
    from_model,
    guided,
    lint_fixes,
    probe,
    quasi_random,
    recombine,
    recombine_code,
    refine,
    revise,
    rewrite,
)

__all__ = [
    "bayes",
    "commenter",
    "constants",
    "from_model",
    "guided",
    "lint_fixes",
    "probe",
    "quasi_random",
    "recombine",
    "recombine_code",
    "refine",
    "revise",
    "rewrite",
]
