"""What the ledger tells of each cycle of a campaign, as episodes.

The ledger is the truth and the files of episodes are a view of it: `rebuild` makes them again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from core.episodes import EpisodeMetrics, TrainingEpisode, episode_id_of
from core.errors import NotFoundError, StorageError
from core.events import AnyEvent, BaselineMeasured, CycleFinished, CycleStarted
from core.records import Baseline
from graph.episode_entries import Teller, Told
from memory.episodes.entries import fit, line_of, merged
from memory.episodes.logger import EpisodeLogger
from memory.episodes.shared import get_episode_logger
from memory.ledger import Ledger, StoredCampaign

__all__ = ["Story", "rebuild", "stories", "with_entries"]


def rebuild(ledger: Ledger, run_id: str, logger: EpisodeLogger | None = None) -> list[TrainingEpisode]:
    """Make every episode of a campaign again, as the ledger tells it; answers them in order.

    Raises NotFoundError for an unknown campaign, BusyError while a process is writing one of its episodes.
    """
    logger = logger or get_episode_logger()
    stored = ledger.campaign(run_id)
    made = []
    for story in stories(stored, ledger.events(run_id)):
        episode = story.with_others(story.episode(), _readable(logger, story.episode_id))
        logger.replace(episode)
        made.append(episode)
    return made


@dataclass
class Story:
    """What the ledger tells of one cycle."""

    stored: StoredCampaign
    number: int
    started_at: float
    baseline: Baseline | None
    finished_at: float | None = None
    told: list[tuple[AnyEvent, Told]] = field(default_factory=list)

    @property
    def episode_id(self) -> str:
        return episode_id_of(self.stored.id, self.number)

    @property
    def task(self) -> str:
        """What the cycle is for, in a line."""
        definition = self.stored.definition
        about = definition.description.strip()
        aim = f"{definition.objective.goal} {definition.objective.metric}"
        return f"cycle {self.number} of {self.stored.id}: {aim}" + (f" ({about})" if about else "")

    @property
    def context(self) -> dict[str, Any]:
        """What the cycle knows when it begins."""
        definition, baseline = self.stored.definition, self.baseline
        told: dict[str, Any] = {
            "campaign": self.stored.id,
            "kind": definition.kind,
            "metric": definition.objective.metric,
            "goal": definition.objective.goal,
            "seed": definition.seed,
        }
        if baseline is not None:
            seeds = len(baseline.seeds)
            told["baseline"] = {"mean_score": baseline.mean, "noise_sd": baseline.noise_sd, "seeds": seeds}
        return told

    def episode(self) -> TrainingEpisode:
        """The episode; `interrupted` when its cycle was not finished."""
        empty = TrainingEpisode(
            episode_id=self.episode_id,
            run_id=self.stored.id,
            episode_number=self.number,
            started_at=self.started_at,
            completed_at=self.finished_at,
            status="interrupted" if self.finished_at is None else "completed",
            task_description=str(fit({"text": self.task})["text"]),
            context=fit(self.context),
        )
        return with_entries(empty, self.told)

    def missing_in(self, episode: TrainingEpisode) -> list[tuple[AnyEvent, Told]]:
        """What the ledger tells and the episode does not."""
        there = _seen(episode)
        return [
            (event, told)
            for event, told in self.told
            if (told.kind == "context" and told.type not in episode.context)
            or (told.kind != "context" and (event.seq, told.type) not in there)
        ]

    def with_others(self, made: TrainingEpisode, before: TrainingEpisode | None) -> TrainingEpisode:
        """The episode with what others than this listener had logged into the one before: entries, sums, metadata."""
        if before is None:
            return made
        actions = [entry for entry in before.actions if "seq" not in entry]
        outcomes = [entry for entry in before.outcomes if "seq" not in entry]
        there = _seen(before)
        known = EpisodeMetrics()
        for event, told in self.told:
            if (event.seq, told.type) in there:
                known = known.plus(**told.increments)
        return made.model_copy(
            update={
                "context": before.context | made.context,
                "actions": _by_time(made.actions, actions),
                "outcomes": _by_time(made.outcomes, outcomes),
                "metrics": made.metrics.plus(**_excess(before.metrics, known)),
                "metadata": before.metadata,
            }
        )


def stories(stored: StoredCampaign, events: Iterable[AnyEvent]) -> list[Story]:
    """The events of a campaign by cycle.  What belongs to no cycle goes with the last one begun before it."""
    by_number: dict[int, Story] = {}
    baseline: Baseline | None = None
    last, teller = 0, Teller()
    for event in events:
        if isinstance(event, BaselineMeasured):
            baseline = event.baseline
        told = teller.told_of(event)
        number = event.cycle or last
        if number == 0 or not (told or isinstance(event, CycleStarted)):
            continue
        last = max(last, number)
        story = by_number.setdefault(number, Story(stored, number, event.at, baseline))
        story.told += [(event, one) for one in told]
        if isinstance(event, CycleFinished):
            story.finished_at = event.at
    return [story for _, story in sorted(by_number.items())]


def with_entries(episode: TrainingEpisode, entries: Iterable[tuple[AnyEvent, Told]]) -> TrainingEpisode:
    """The episode with these added, exactly as if they had been logged."""
    return merged(episode, [_line(event, told) for event, told in entries])


def _line(event: AnyEvent, told: Told) -> bytes:
    if told.kind == "context":
        return line_of("context", data=fit(told.data))
    metrics = told.increments or None
    return line_of(
        told.kind, type=told.type, at=round(event.at, 3), data=fit(told.data), seq=event.seq, metrics=metrics
    )


def _seen(episode: TrainingEpisode) -> set[tuple[int, str]]:
    return {(entry["seq"], entry["type"]) for entry in (*episode.actions, *episode.outcomes) if "seq" in entry}


def _by_time(ours: list[dict[str, Any]], others: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted([*ours, *others], key=lambda entry: float(entry["at"])) if others else ours


def _excess(whole: EpisodeMetrics, known: EpisodeMetrics) -> dict[str, float]:
    """What of the sums is not known to come from the ledger."""
    more = {name: getattr(whole, name) - getattr(known, name) for name in EpisodeMetrics.model_fields}
    more["inference_time_ms"] = round(more["inference_time_ms"], 6)  # what is left of floating point is nobody's time
    return {name: value for name, value in more.items() if value > 0}


def _readable(logger: EpisodeLogger, episode_id: str) -> TrainingEpisode | None:
    try:
        return logger.load_episode(episode_id)
    except (NotFoundError, StorageError):
        return None
