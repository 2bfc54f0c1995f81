"""Guidance on its way through a running cycle: from callbacks and listeners, at the next node or the next cycle."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tiny_run import ID, TinyRun

from agents.roles import Case
from core.events import AnyEvent
from core.guidance import GuidanceReceipt
from graph.campaign import find_or_create, run_campaign
from graph.decisions import decision_log, replay
from graph.loading import load_campaign
from memory.guidance import GuidanceBook
from memory.history import History
from memory.recall import MemoryItem
from memory.state_folder import StateFolder

Say = Callable[[GuidanceBook, AnyEvent], None]


class Guided(TinyRun):
    """A tiny campaign that something is said to, by callbacks or when an event is told."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        super().__init__(folder, **changes)
        self.home = StateFolder(folder / "home", embedding_model="hash")

    def go(
        self,
        callbacks: Sequence[Any] = (),
        say: Say | None = None,
        before: Sequence[str] = (),
        recall: bool = False,
        timeout_s: float = 10.0,
    ) -> History:
        async def main() -> None:
            with self.home.open_ledger() as ledger:
                stored, _ = find_or_create(ledger, load_campaign(self.path))
                book = GuidanceBook(ledger)
                for text in before:
                    book.give(stored.id, text)
                if say is not None:
                    ledger.listen(lambda event: say(book, event))
                opened = (lambda: self.home.open_recall(ledger)) if recall else None
                await run_campaign(
                    self.home, ledger, stored, on_guidance=callbacks, callback_timeout_s=timeout_s, open_recall=opened
                )

        asyncio.run(main())
        return self.history()

    def receipts(self, campaign_id: str = ID) -> list[GuidanceReceipt]:
        with self.home.open_ledger() as ledger:
            return GuidanceBook(ledger).receipts(campaign_id)


def test_callbacks_are_asked_every_cycle_and_one_that_fails_is_reported(tmp_path: Path) -> None:
    asked: list[int] = []

    def plain(case: Case) -> str | None:
        asked.append(case.cycle)
        return "keep x below 0.5" if case.cycle == 2 else None

    async def several(case: Case) -> list[str]:
        return ["explore"] if case.cycle == 1 else []

    def broken(case: Case) -> str:
        raise RuntimeError(f"no idea in cycle {case.cycle}")

    def empty(case: Case) -> str:
        return " "

    run = Guided(tmp_path, budget={"cycles": 2})
    history = run.go([plain, several, broken, empty])
    assert asked == [1, 2]
    told = [(r.guidance.text, r.guidance.door, r.cycle, r.node) for r in run.receipts()]
    assert told == [("explore", "callback", 1, "director"), ("keep x below 0.5", "callback", 2, "director")]
    failed = [(f.cycle, f.role, f.name.rpartition(".")[2]) for c in history.cycles.values() for f in c.failures]
    assert failed == [(c, "guidance", name) for c in (1, 2) for name in ("broken", "empty")]
    rejected = {p for p, e in history.cycles[2].rulings.items() if e.ruling.rule == "guidance"}
    assert {history.cycles[2].proposals[p].proposal.config["x"] for p in rejected} == {0.61}
    assert run.receipts()[1].status == "used"


def test_a_callback_that_thinks_too_long_is_left_behind(tmp_path: Path) -> None:

    async def slow(case: Case) -> str:
        await asyncio.sleep(60)
        return "explore"

    history = Guided(tmp_path).go([slow], timeout_s=0.05)
    assert [f.name.rpartition(".")[2] for f in history.cycles[1].failures] == ["slow"]
    assert history.cycles[1].finished is not None


def test_what_is_urgent_is_heard_at_the_next_node_and_the_rest_in_the_next_cycle(tmp_path: Path) -> None:
    said: list[str] = []

    def say(book: GuidanceBook, event: AnyEvent) -> None:
        if event.type == "ProposalMade" and not said:
            said.append("now")
            book.give(ID, "keep x below 0.5", urgent=True)
            book.give(ID, "keep y above 0.55")

    run = Guided(tmp_path, budget={"cycles": 2})
    history = run.go(say=say)
    now, later = run.receipts()
    assert (now.cycle, now.node) == (1, "voter")
    assert (later.cycle, later.node) == (2, "director")
    ruled = {
        history.cycles[1].proposals[p].proposal.config["x"]: e.ruling for p, e in history.cycles[1].rulings.items()
    }
    assert (ruled[0.6].decision, ruled[0.6].rule) == ("reject", "guidance")
    assert ruled[0.6].reason == "g1: x below 0.5"
    assert ruled[0.3].decision == "accept"
    assert replay(decision_log(load_campaign(run.path), history)) == []


def test_dropped_contradicted_and_impossible(tmp_path: Path) -> None:
    def say(book: GuidanceBook, event: AnyEvent) -> None:
        if event.type == "CycleFinished" and event.cycle == 1:
            book.drop(ID, "g1")

    run = Guided(tmp_path, budget={"cycles": 2}, forbidden=[{"conditions": {"kind": {"options": ["b"]}}}])
    history = run.go(
        say=say,
        before=["keep x below 0.5", "keep y above 0.7", "keep y below 0.65", "keep y above 0.64 and avoid kind a"],
    )
    dropped, earlier, later, impossible = run.receipts()
    assert dropped.status == "dropped"
    assert any(e.why == "dropped" and e.cycle == 2 for e in history.guidance_unused)
    assert earlier.status == "unused"
    assert any("contradicted" in note and "g3" in note for note in earlier.notes)
    assert later.guidance.meanings
    assert impossible.guidance.meanings
    assert any("not applied" in note and "nothing would be left" in note for note in impossible.notes)
    first, second = (
        {c.proposals[p].proposal.config["x"] for p, e in c.rulings.items() if e.ruling.reason.startswith("g1")}
        for c in (history.cycles[1], history.cycles[2])
    )
    assert first == {0.6}
    assert second == set()


def test_what_an_earlier_campaign_was_told_is_suggested_and_never_limits(tmp_path: Path) -> None:
    run = Guided(tmp_path)
    run.go(before=["keep x below 0.5"], recall=True)
    again = Guided(tmp_path, seed=7)
    again.go(recall=True)
    (suggested,) = again.receipts("tiny-2")
    assert (suggested.guidance.door, suggested.guidance.author) == ("recall", ID)
    assert suggested.guidance.recalled_from
    assert [(m.kind, m.hard) for m in suggested.guidance.meanings] == [("preference", False)]
    with again.home.open_ledger() as ledger:
        history = History.load(ledger, "tiny-2")
    assert not any(
        e.ruling.decision == "reject" and e.ruling.rule == "guidance" for e in history.cycles[1].rulings.values()
    )


def test_nothing_is_recalled_where_nothing_is_alike(tmp_path: Path) -> None:
    run = Guided(tmp_path)
    with run.home.open_ledger() as ledger, run.home.open_recall(ledger) as recall:
        recall.remember([MemoryItem("i-1", "guidance", "feedback", "train.py: document x")])
    run.go(recall=True)
    assert run.receipts() == []


def test_guidance_that_touches_nothing_says_so(tmp_path: Path) -> None:
    run = Guided(tmp_path)
    run.go(before=["keep x below 0.9"])
    (receipt,) = run.receipts()
    assert receipt.status == "unused"
    assert "no proposal of this cycle" in receipt.notes[0]
