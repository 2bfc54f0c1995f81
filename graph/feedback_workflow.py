"""The feedback workflow around the subgraph:

    input preparation → history lookup → guidance application → loop → logging with embeddings

Each run writes one JSON report under `workflow_runs/` of the state folder: every payload of every round, keys sorted,
nothing of the clock in it but `started_at` and the `run_id` made of it, so that two runs can be compared with diff.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents.feedback.benchmark import AdaptiveFeedbackBenchmark
from agents.feedback.defects import Defect, docstring_defects
from agents.feedback.fact_records import ModuleFacts
from agents.feedback.facts import module_facts
from agents.feedback.loop import CodeFeedbackLoop
from agents.feedback.records import IterationRecord, ScopeSummary
from agents.feedback.sources import check_language, read_source
from core.errors import ConfigError, nearest
from core.files import write_atomically
from core.ids import Clock, content_id, system_clock
from graph.feedback import FeedbackGraph
from memory.recall import MemoryItem

if TYPE_CHECKING:
    from agents.roles import RecallView  # at run time it would bring the whole of `search` with it

__all__ = ["EVENTS", "FeedbackRun", "FeedbackWorkflow"]

EVENTS = ("run_started", "iteration_completed", "run_completed")

MAX_REMEMBERED = 200
"""At most so many summaries of a file go to memory, modules and classes first: embedding 4,000 takes a minute. The
report holds all."""

Handler = Callable[["FeedbackRun", dict[str, Any]], Awaitable[None] | None]


@dataclass
class FeedbackRun:
    """The state of one run, as event handlers see it."""

    path: str
    code: str
    iterations: int
    run_id: str
    started_at: float = 0.0
    guidance: tuple[str, ...] = ()
    recalled: tuple[str, ...] = ()
    records: list[IterationRecord] = field(default_factory=list)
    defects: tuple[Defect, ...] = ()
    best: IterationRecord | None = None
    """The round that stands; an earlier run's when none of this one was better."""
    report: Path | None = None

    @property
    def rewards(self) -> list[float]:
        return [record.discriminator_score.reward for record in self.records]

    def as_json(self) -> dict[str, Any]:
        """The whole run as plain data."""
        return {
            "schema": 1,
            "run_id": self.run_id,
            "file_path": self.path,
            "iterations": self.iterations,
            "guidance": list(self.guidance),
            "recalled": list(self.recalled),
            "rewards": self.rewards,
            "best_iteration": self.best.iteration if self.best else None,
            "records": [record.model_dump(mode="json") for record in self.records],
            "defects": [defect.model_dump(mode="json") for defect in self.defects],
            "engine": self.records[-1].discriminator_score.engine if self.records else "rules",
        }


class FeedbackWorkflow:
    """Runs the feedback loop over files, with memory, human guidance and event handlers."""

    def __init__(
        self,
        runs_folder: Path,
        *,
        loop: CodeFeedbackLoop | None = None,
        recall: RecallView | None = None,
        benchmark: AdaptiveFeedbackBenchmark | None = None,
        clock: Clock = system_clock,
    ) -> None:
        self.runs_folder = runs_folder
        self.loop = loop or CodeFeedbackLoop()
        self.graph = FeedbackGraph()
        self.benchmark = benchmark or AdaptiveFeedbackBenchmark()
        self._recall = recall
        self._clock = clock
        self._handlers: defaultdict[str, list[Handler]] = defaultdict(list)

    def add_human_guidance(self, path: str, guidance: str) -> None:
        """A sentence for the file: it goes first in the next round, and is kept for later ones."""
        self.loop.add_human_guidance(path, guidance)

    def register_event_handler(self, event: str, handler: Handler) -> None:
        """Call `handler(state, payload)`, plain or async, at `event`.  Raises ConfigError for an unknown event."""
        if event not in EVENTS:
            raise ConfigError(f"there is no event {event!r}", where="FeedbackWorkflow", hint=nearest(event, EVENTS))
        self._handlers[event].append(handler)

    async def run(
        self, file_path: str | Path, iterations: int = 2, *, code: str | None = None, guidance: Sequence[str] = ()
    ) -> FeedbackRun:
        """The whole workflow over one file; `code` stands for its content where there is no file.

        Raises ConfigError when the file cannot be read or analysed; nothing of it is ever executed.
        """
        path = str(file_path)
        text = read_source(Path(path)) if code is None else code
        facts = _facts(path, text)
        for sentence in guidance:
            self.add_human_guidance(path, sentence)
        started_at = self._clock()
        run = FeedbackRun(
            path=path,
            code=text,
            iterations=iterations,
            run_id=content_id("w", path, hashlib.sha256(text.encode("utf-8", "replace")).hexdigest(), started_at),
            started_at=started_at,
            guidance=tuple(self.loop.human_guidance(path)),
            recalled=tuple(self._lookup(path, text)),
        )
        await self._tell("run_started", run, {"file_path": path, "recalled": list(run.recalled)})

        async def finished(record: IterationRecord) -> None:
            run.records.append(record)
            await self._tell("iteration_completed", run, record.model_dump(mode="json"))

        await self.graph.run(self.loop, path, text, iterations, recalled=run.recalled, told=finished)
        run.best = self.loop.best(path) or run.records[-1]
        run.defects = tuple(docstring_defects(facts))
        run.report = self._write(run)
        self._remember(run)
        self.benchmark.record_run(
            path,
            reward=run.best.discriminator_score.reward,
            reward_delta=run.rewards[-1] - run.rewards[0],
            guidance_count=sum(len(record.agitator_feedback.guidance) for record in run.records),
            log=str(run.report),
        )
        await self._tell("run_completed", run, run.as_json())
        return run

    # ------------------------------------------------------------------ steps

    def _lookup(self, path: str, code: str) -> list[str]:
        """Guidance that paid on files like this one."""
        if self._recall is None:
            return []
        question = f"feedback guidance that paid for {Path(path).name}: {_gist(code)}"
        found = self._recall.search(question, 5, collection="guidance")
        return list(dict.fromkeys(memory.text.partition(": ")[2] for memory in found if memory.score))

    def _remember(self, run: FeedbackRun) -> None:
        """What was said and what it brought: rounds, summaries, and the guidance that raised the reward.

        Rounds and summaries of a file are found by `campaign_id="feedback:<path>"`.
        """
        remember = getattr(self._recall, "remember", None)
        if remember is None:
            return
        items = [_round_item(run, record) for record in run.records]
        for before, after in pairwise(run.records):
            gain = after.discriminator_score.reward - before.discriminator_score.reward
            if gain > 0 and after.kept:
                items.extend(_guidance_item(run, before, text, gain) for text in before.agitator_feedback.guidance)
        if run.best is not None:
            said = [each for each in run.best.comments.summaries if each.text]
            said.sort(key=lambda each: each.scope == "function")
            items.extend(_summary_item(run, each) for each in said[:MAX_REMEMBERED])
        remember(items)

    def _write(self, run: FeedbackRun) -> Path:
        """The report, written whole or not at all."""
        path = self.runs_folder / f"{Path(run.path).stem or 'file'}-{run.run_id}.json"
        text = json.dumps({**run.as_json(), "started_at": run.started_at}, indent=1, sort_keys=True, ensure_ascii=False)
        write_atomically(path, text + "\n")
        return path

    async def _tell(self, event: str, run: FeedbackRun, payload: dict[str, Any]) -> None:
        for handler in self._handlers[event]:
            answer = handler(run, payload)
            if inspect.isawaitable(answer):
                await answer


def _facts(path: str, code: str) -> ModuleFacts:
    """The facts of a file.  Raises ConfigError when there is nothing to comment."""
    check_language(path)
    if not code.strip():
        raise ConfigError("the file is empty", where=path, hint="there is nothing to comment")
    facts = module_facts(code)
    if facts.unparsed and not facts.functions and not facts.classes:
        first = facts.unparsed[0]
        raise ConfigError(
            f"no function or class of it parses: {first.reason}",
            where=f"{path}, line {first.line}",
            hint="mend it first",
        )
    return facts


def _round_item(run: FeedbackRun, record: IterationRecord) -> MemoryItem:
    """One round as a memory: what it was asked, how it scored, what is asked next, and where all of it lies."""
    score = record.discriminator_score
    asked = "; ".join(record.guidance) or "nothing in particular"
    wanted = "; ".join(record.agitator_feedback.guidance) or "nothing more"
    return MemoryItem(
        id=content_id("i", run.run_id, record.iteration),
        collection="comments",
        campaign_id=f"feedback:{run.path}",
        text=f"{Path(run.path).name} round {record.iteration + 1}, reward {score.reward:.3f}: asked {asked}; "
        f"asks next {wanted}",
        metadata={"score": score.reward, "path": run.path, "report": str(run.report), "round": record.iteration},
    )


def _guidance_item(run: FeedbackRun, record: IterationRecord, text: str, gain: float) -> MemoryItem:
    """Guidance after which the reward rose by `gain`."""
    return MemoryItem(
        id=content_id("g", run.path, record.code_sha256, record.iteration, text),
        collection="guidance",
        campaign_id="feedback",
        text=f"{Path(run.path).name}: {text}",
        metadata={"score": gain, "path": run.path},
    )


def _summary_item(run: FeedbackRun, summary: ScopeSummary) -> MemoryItem:
    """What the best round says of a module, class or function."""
    return MemoryItem(
        id=content_id("s", run.path, summary.name, summary.line, summary.text),
        collection="comments",
        campaign_id=f"feedback:{run.path}",
        text=f"{Path(run.path).name} {summary.scope} {summary.name}: {summary.text}",
        metadata={"path": run.path, "line": summary.line},
    )


def _gist(code: str, limit: int = 300) -> str:
    """The names a file defines, as a question to memory."""
    names = [
        line.split("(")[0].split(":")[0].strip() for line in code.splitlines() if line.startswith(("def ", "class "))
    ]
    return " ".join(names)[:limit]
