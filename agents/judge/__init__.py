"""The judge of a candidate's code, a process of its own: tests, then paired runs of the benchmark, all in the sandbox.

    python -m agents.judge DIRECTORY        DIRECTORY/plan.json → DIRECTORY/judgement.json, metrics on stdout

What the candidate's code says is never believed: the tests are counted from their results with one among them that must
fail, the benchmark's results must be the base's on a seed drawn here, and its times must agree with the clock outside.
"""

from __future__ import annotations

from agents.judge.judging import judge
from agents.judge.records import Judgement, Plan

__all__ = ["Judgement", "Plan", "judge"]
