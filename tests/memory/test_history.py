"""The history: what was known before a cycle, whichever order things came in."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from memory_records import CAMPAIGN, accepted, finished, learned, made, proposal, told

from core.events import AnyEvent, CycleFinished, CycleStarted, TrackRecordUpdated
from core.records import TrackRecord
from memory.history import History
from memory.ledger import Ledger

PER_CYCLE = 3


def whole_cycle(cycle: int, scores: list[float | None], order: list[int]) -> list[AnyEvent]:
    """A cycle whose jobs end in `order`."""
    asked = [proposal(cycle, n) for n in range(len(scores))]
    return [
        CycleStarted(campaign_id=CAMPAIGN, cycle=cycle),
        *map(made, asked),
        *map(accepted, asked),
        *(finished(asked[n], scores[n]) for n in order),
        CycleFinished(campaign_id=CAMPAIGN, cycle=cycle, stages={}, metrics={}),
    ]


def history_of(*events: AnyEvent) -> History:
    history = History(CAMPAIGN)
    for event in told(*events):
        history.apply(event)
    return history


scores = st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=PER_CYCLE, max_size=PER_CYCLE)
cycles = st.lists(st.tuples(scores, st.permutations(range(PER_CYCLE))), min_size=1, max_size=4)


@given(cycles)
def test_the_order_in_which_jobs_end_changes_nothing(run: list[tuple[list[float | None], list[int]]]) -> None:
    in_order, as_it_came = [], []
    for number, (given_scores, order) in enumerate(run, 1):
        in_order += whole_cycle(number, given_scores, list(range(PER_CYCLE)))
        as_it_came += whole_cycle(number, given_scores, list(order))
    a, b = history_of(*in_order), history_of(*as_it_came)
    for before in (None, *range(1, len(run) + 2)):
        assert a.experiments(before) == b.experiments(before)
        assert a.best(before) == b.best(before)


@given(cycles, st.lists(st.integers(1, 6), max_size=8))
def test_before_sees_earlier_cycles_only_however_it_was_asked_before(run, questions: list[int]) -> None:
    """`experiments` remembers what it has put together; no question may change the answer to another."""
    history = history_of(*(e for n, (s, order) in enumerate(run, 1) for e in whole_cycle(n, s, list(order))))
    for before in (*questions, None):
        seen = history.experiments(before)
        expected = [n for n in range(1, len(run) + 1) if before is None or n < before]
        assert [e.proposal.cycle for e in seen] == [n for n in expected for _ in range(PER_CYCLE)]


@given(scores, st.permutations(range(PER_CYCLE)), st.integers(0, PER_CYCLE))
def test_an_unfinished_cycle_is_seen_after_it_and_not_remembered_too_early(given_scores, order, so_far: int) -> None:
    first = whole_cycle(1, [0.1, 0.2, 0.3], [2, 0, 1])
    second = whole_cycle(2, given_scores, list(order))
    history = History(CAMPAIGN)
    events = told(*first, *second)
    cut = len(first) + 1 + 2 * PER_CYCLE + so_far
    for event in events[:cut]:
        history.apply(event)
    assert len(history.experiments()) == PER_CYCLE + so_far
    assert len(history.experiments(before=2)) == PER_CYCLE
    for event in events[cut:]:
        history.apply(event)
    assert history.experiments() == history_of(*first, *second).experiments()
    assert history.last_finished_cycle == 2


def test_the_best_is_the_earliest_of_equals_and_no_failure() -> None:
    history = history_of(*whole_cycle(1, [None, 0.5, 0.5], [2, 1, 0]))
    best = history.best()
    assert best is not None
    assert best.proposal == proposal(1, 1)
    assert history_of(*whole_cycle(1, [None, None, None], [0, 1, 2])).best() is None


def test_an_amended_proposal_stands_in_the_history_as_it_ran() -> None:
    asked = proposal(1, 1)
    ran = asked.model_copy(update={"config": {"x": 0.75}})
    ruling = accepted(asked).ruling.model_copy(update={"decision": "amend", "amended": ran})
    history = history_of(made(asked), accepted(asked).model_copy(update={"ruling": ruling}), finished(ran, 1.0))
    [experiment] = history.experiments()
    assert experiment.proposal == ran
    assert history.cycles[1].proposals[asked.id].proposal == asked


def test_a_withdrawn_lesson_stands_until_the_cycle_after_its_withdrawal() -> None:
    history = history_of(learned(1, "l-1"), learned(1, "l-2"), learned(3, "w-1", withdraws="l-1"), learned(4, "l-4"))
    names = {before: [lesson.id for lesson in history.lessons(before)] for before in (1, 2, 3, 4, 5, None)}
    assert names == {
        1: [],
        2: ["l-1", "l-2"],
        3: ["l-1", "l-2"],
        4: ["l-2"],
        5: ["l-2", "l-4"],
        None: ["l-2", "l-4"],
    }
    assert len(history.all_lessons()) == 4


def test_track_records_are_the_latest_before_the_cycle() -> None:
    def record(cycle: int, name: str, judged: int) -> TrackRecordUpdated:
        updated = TrackRecord(name=name, role="voter", judged=judged, right=judged / 2)
        return TrackRecordUpdated(campaign_id=CAMPAIGN, cycle=cycle, record=updated)

    history = history_of(record(1, "a", 1), record(1, "b", 1), record(2, "a", 2))
    assert {n: r.judged for n, r in history.track_records("voter", before=2).items()} == {"a": 1, "b": 1}
    assert {n: r.judged for n, r in history.track_records("voter").items()} == {"a": 2, "b": 1}
    assert history.track_records("proposer") == {}


def test_a_listening_history_equals_a_loaded_one(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        listening = History(CAMPAIGN)
        ledger.listen(listening.apply)
        for event in (*whole_cycle(1, [0.1, None, 0.3], [1, 0, 2]), *whole_cycle(2, [0.2, 0.4, 0.1], [2, 1, 0])):
            ledger.append(event)
            ledger.append(event.model_copy(update={"campaign_id": "other-1"}))
        loaded = History.load(ledger, CAMPAIGN)
        assert loaded.cycles == listening.cycles
        assert loaded.experiments() == listening.experiments()
        listening.catch_up(ledger)  # all of it again: nothing happens twice
        assert loaded.cycles == listening.cycles
        assert (loaded.seq, len(loaded.cycles)) == (listening.seq, 2)
