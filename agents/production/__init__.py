"""Real work that is logged by itself: outcome → plan → trajectory, from which the next generation begins.

An agent (`BuilderAgent`, `QAAgent`) runs a function, and hands its outcome to an `OutcomeTrajectoryLogger`.  That
stores the outcome, extracts the plan behind a success, and makes the trajectory; `load_production_trajectories` takes
the best of them, of all agents, as starting points.
"""

from __future__ import annotations

from agents.production.builder import BuilderAgent
from agents.production.logger import Counts, Logged, OutcomeTrajectoryLogger
from agents.production.path import note_source, note_step, note_tool
from agents.production.plans import extract_plan
from agents.production.qa import QAAgent
from agents.production.trajectories import load_production_trajectories, quality_threshold, trajectory_of

__all__ = [
    "BuilderAgent",
    "Counts",
    "Logged",
    "OutcomeTrajectoryLogger",
    "QAAgent",
    "extract_plan",
    "load_production_trajectories",
    "note_source",
    "note_step",
    "note_tool",
    "quality_threshold",
    "trajectory_of",
]
