"""The library's face: what an extension or a notebook needs, imported when first used.

    from ratchet import Campaign, Float, Vote, voter

Importing this module imports nothing heavy, sets no signal handler and prints nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agents.asking import ask
    from agents.production.builder import BuilderAgent
    from agents.production.logger import OutcomeTrajectoryLogger
    from agents.production.path import note_source, note_step, note_tool
    from agents.production.qa import QAAgent
    from agents.production.trajectories import load_production_trajectories
    from agents.pull_requests.orchestrator import PROrchestrator, propose_pr
    from agents.registry import director, executor, historian, proposer, supervisor, voter
    from agents.roles import Case, Director, Executor, Historian, Kit, Proposer, Supervisor, Voter
    from core.episodes import EpisodeMetrics, TrainingEpisode
    from core.production import ExtractedPlan, ProductionOutcome
    from core.pull_requests import CodeChange, PRProposal
    from core.records import Direction, Experiment, Lesson, Outcome, Proposal, Ruling, Trajectory, Vote
    from memory.episodes.calls import embedding_generation, llm_generation, rag_query
    from memory.episodes.logger import EpisodeLogger
    from memory.episodes.shared import get_episode_logger
    from memory.outcomes import OutcomeStore
    from search.space import Choice, Float, Int, Space, Subset
    from service.library.asking import Asked
    from service.library.campaign import Campaign
    from service.library.result import Result, Trial

HOMES = {
    "agents.asking": ("ask",),
    "agents.production.builder": ("BuilderAgent",),
    "agents.production.logger": ("OutcomeTrajectoryLogger",),
    "agents.production.path": ("note_source", "note_step", "note_tool"),
    "agents.production.qa": ("QAAgent",),
    "agents.production.trajectories": ("load_production_trajectories",),
    "agents.pull_requests.orchestrator": ("PROrchestrator", "propose_pr"),
    "agents.registry": ("director", "executor", "historian", "proposer", "supervisor", "voter"),
    "agents.roles": ("Case", "Director", "Executor", "Historian", "Kit", "Proposer", "Supervisor", "Voter"),
    "core.episodes": ("EpisodeMetrics", "TrainingEpisode"),
    "core.production": ("ExtractedPlan", "ProductionOutcome"),
    "core.pull_requests": ("CodeChange", "PRProposal"),
    "core.records": ("Direction", "Experiment", "Lesson", "Outcome", "Proposal", "Ruling", "Trajectory", "Vote"),
    "memory.episodes.calls": ("embedding_generation", "llm_generation", "rag_query"),
    "memory.episodes.logger": ("EpisodeLogger",),
    "memory.episodes.shared": ("get_episode_logger",),
    "memory.outcomes": ("OutcomeStore",),
    "search.space": ("Choice", "Float", "Int", "Space", "Subset"),
    "service.library.asking": ("Asked",),
    "service.library.campaign": ("Campaign",),
    "service.library.result": ("Result", "Trial"),
}
"""Module → the names that come from it."""

__all__ = [
    "Asked",
    "BuilderAgent",
    "Campaign",
    "Case",
    "Choice",
    "CodeChange",
    "Direction",
    "Director",
    "EpisodeLogger",
    "EpisodeMetrics",
    "Executor",
    "Experiment",
    "ExtractedPlan",
    "Float",
    "Historian",
    "Int",
    "Kit",
    "Lesson",
    "Outcome",
    "OutcomeStore",
    "OutcomeTrajectoryLogger",
    "PROrchestrator",
    "PRProposal",
    "ProductionOutcome",
    "Proposal",
    "Proposer",
    "QAAgent",
    "Result",
    "Ruling",
    "Space",
    "Subset",
    "Supervisor",
    "TrainingEpisode",
    "Trajectory",
    "Trial",
    "Vote",
    "Voter",
    "ask",
    "director",
    "embedding_generation",
    "executor",
    "get_episode_logger",
    "historian",
    "llm_generation",
    "load_production_trajectories",
    "note_source",
    "note_step",
    "note_tool",
    "propose_pr",
    "proposer",
    "rag_query",
    "supervisor",
    "voter",
]


def __getattr__(name: str) -> Any:
    for home, names in HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module 'ratchet' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
