"""Forks: the past is shared, nothing of it is run again, the end is the parent's, and the parent stays as it is."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cut_off import killed_everywhere
from tiny_campaign import account, runs, write_campaign
from tiny_run import ID, TinyRun, council

from core.approvals import Answer
from core.errors import ConfigError, ConflictError, NotFoundError, RatchetError, UsageError
from core.events import CycleFinished, ForkedFrom, GuidanceGiven, JobStarted, ModelCalled
from core.forks import ForkPoint
from core.models import ChatCall, ChatReply, Message
from graph.approvals import open_approvals
from graph.campaign import Ending, find_or_create, run_campaign
from graph.code_campaign import open_code
from graph.fork_edits import editable
from graph.forking import fork, share_of
from graph.loading import load_campaign
from graph.paid_once import KIND, key_of
from graph.points import find_point, points_of
from graph.shared_past import events_up_to, shared_effects
from memory.history import History
from memory.ledger import Ledger, StoredCampaign
from memory.lineage import forked_from, forks_of, root_of
from memory.state_folder import StateFolder
from tests.graph.code_packages import told_campaign, write_package


@dataclass
class Whole:
    """A campaign with the council of every day, with memory, run to its end."""

    folder: Path
    home: StateFolder

    def go_on(self, ledger: Ledger, stored: StoredCampaign) -> Ending:
        return asyncio.run(run_campaign(self.home, ledger, stored, open_recall=lambda: self.home.open_recall(ledger)))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    folder = tmp_path_factory.mktemp("whole")
    made = Whole(folder, StateFolder(folder / "home", embedding_model="hash"))
    path = write_campaign(folder, budget={"cycles": 2})
    with made.home.open_ledger() as ledger:
        stored, _ = find_or_create(ledger, load_campaign(path))
        assert made.go_on(ledger, stored).status == "finished"
    return made


def story(home: Path, campaign_id: str) -> str:
    """The account of a campaign with its ids numbered in the order in which they come, whatever they are."""
    told = account(home, campaign_id)
    for cycle in told["cycles"].values():
        ids = [proposal["id"] for proposal in cycle["proposals"]]
        cycle |= {part: [cycle[part].get(name) for name in ids] for part in ("votes", "outcomes")}
    del told["jobs"], told["all outcomes"]  # by id; each outcome stands in its cycle
    names: dict[str, str] = {}
    text = re.sub(
        r"\b[ptj]-[0-9a-f]{10}\b", lambda found: names.setdefault(found[0], f"#{len(names)}"), json.dumps(told)
    )
    return re.sub(r'"campaign_id": "[^"]+"', '"campaign_id": "*"', text)


@pytest.mark.slow
def test_a_fork_that_goes_on_ends_as_its_parent_and_runs_no_job(whole: Whole) -> None:
    before, expected = runs(whole.folder), story(whole.home.home, ID)
    with whole.home.open_ledger() as ledger:
        parent = ledger.campaign(ID)
        kept = list(ledger.events(ID))
        for spec in ("1", "2/voter"):
            made = fork(ledger, parent, ForkPoint.parse(spec))
            assert whole.go_on(ledger, made).status == "finished"
            assert story(whole.home.home, made.id) == expected, spec
            assert runs(whole.folder) == before, spec
        assert list(ledger.events(ID)) == kept
        assert ledger.campaign(ID) == parent
        again = fork(ledger, ledger.campaign(made.id), ForkPoint(cycle=1))
        assert (root_of(ledger, again.id), [one.campaign_id for one in forks_of(ledger, made.id)]) == (ID, [again.id])
        assert whole.go_on(ledger, again).status == "finished"
        assert story(whole.home.home, again.id) == expected
        assert runs(whole.folder) == before


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> TinyRun:
    """A finished campaign that every test forks for itself."""
    made = TinyRun(tmp_path_factory.mktemp("tiny"), budget={"cycles": 3})
    made.run()
    return made


def history_of(tiny: TinyRun, campaign_id: str) -> History:
    with tiny.ledger() as ledger:
        return History.load(ledger, campaign_id)


def forked(tiny: TinyRun, spec: str, **more: Any) -> StoredCampaign:
    with tiny.ledger() as ledger:
        return fork(ledger, ledger.campaign(ID), ForkPoint.parse(spec), **more)


def go_on(tiny: TinyRun, campaign_id: str) -> tuple[Ending, History]:
    with tiny.ledger() as ledger:
        ending = asyncio.run(run_campaign(tiny.home, ledger, ledger.campaign(campaign_id)))
        return ending, History.load(ledger, campaign_id)


def state_at(tiny: TinyRun, spec: str) -> dict[str, dict[str, Any]]:
    point = ForkPoint.parse(spec)
    with tiny.ledger() as ledger:
        return editable(events_up_to(ledger.events(ID), point), ID, point)


def test_the_past_is_told_with_its_ids_and_times(tiny: TinyRun) -> None:
    made = forked(tiny, "2", name="other.way")
    parent, child = history_of(tiny, ID), history_of(tiny, "other.way")
    assert (made.id, made.status, made.sessions) == ("other.way", "interrupted", 0)
    assert child.last_finished_cycle == 2
    assert [e.proposal.id for e in child.experiments()] == [e.proposal.id for e in parent.experiments(before=3)]
    assert child.cycles[2].started_at == parent.cycles[2].started_at
    assert child.verdict is None
    with tiny.ledger() as ledger:
        origin = forked_from(ledger, made.id)
        assert isinstance(origin, ForkedFrom)
        assert (origin.parent, origin.root, str(origin.point)) == (ID, ID, "2")
        assert ledger.campaigns()[-1].id == made.id  # what commands mean that name none


def test_more_budget_and_guidance_go_on_from_there(tiny: TinyRun) -> None:
    before = sum(runs(tiny.folder).values())
    made = forked(tiny, "3", sets={"budget.cycles": 4}, guidance=["try x below 0.3 first"])
    ending, history = go_on(tiny, made.id)
    assert (ending.status, history.last_finished_cycle) == ("finished", 4)
    new = [job for job, started in history.jobs.items() if started.cycle == 4]
    assert len(new) >= 2
    assert sum(runs(tiny.folder).values()) == before + len(new)
    with tiny.ledger() as ledger:
        (said,) = [e.guidance for e in ledger.events(made.id) if isinstance(e, GuidanceGiven)]
        started = {e.job_id for e in ledger.events(made.id, cycle=4) if isinstance(e, JobStarted)}
    assert (said.id, said.text) == ("g1", "try x below 0.3 first")
    assert started == set(new)


def test_the_agenda_is_edited_before_the_votes(tiny: TinyRun) -> None:
    first, second = state_at(tiny, "2/voter")["agenda"].items()
    wanted = {**first[1], "x": 0.11}
    made = forked(tiny, "2/voter", edits={"agenda": {first[0]: wanted, second[0]: second[1]}})
    _, history = go_on(tiny, made.id)
    ours, theirs = (list(one.cycles[2].proposals.values()) for one in (history, history_of(tiny, ID)))
    assert ours[0].proposal.config == wanted
    assert (ours[0].proposal.source, ours[0].proposal.parents) == ("human", (first[0],))
    assert ours[1].proposal == theirs[1].proposal
    assert {e.config["x"] for e in history.cycles[2].experiments()} == {0.11, second[1]["x"]}
    assert len(history.cycles[2].votes[ours[0].proposal.id]) == 1


def test_the_rulings_are_edited_before_their_jobs(tiny: TinyRun) -> None:
    (first, one), (second, other) = state_at(tiny, "2/executor")["rulings"].items()
    edits = {
        first: {**one, "decision": "reject"},
        second: {"decision": "accept", "config": {**other["config"], "x": 0.2}},
    }
    made = forked(tiny, "2/executor", edits={"rulings": edits})
    _, history = go_on(tiny, made.id)
    (ran,) = history.cycles[2].experiments()
    assert (ran.proposal.id, ran.config["x"], ran.proposal.source) == (second, 0.2, "human")
    ruling = history.cycles[2].rulings[first].ruling
    assert (ruling.decision, ruling.source) == ("reject", "human")
    assert history.cycles[2].judged[first].ruling.decision == "accept"  # what the supervisor had said stays told


REFUSED: list[tuple[str, dict[str, Any], type[RatchetError], str]] = [
    ("9", {}, NotFoundError, "no point 9"),
    ("4/voter", {}, NotFoundError, "no point 4/voter"),
    ("2", {"sets": {"space.x.low": 0.5}}, UsageError, "only budgets"),
    ("2", {"sets": {"budget.cycles": "many"}}, ConfigError, "budget.cycles"),
    ("2", {"sets": {"budgets.cycles": 5}}, ConfigError, "unknown key"),
    ("2", {"name": ID}, ConflictError, "already"),
    ("2", {"name": "../up"}, UsageError, "no name"),
    ("2", {"guidance": ["  "]}, UsageError, "empty"),
    ("2", {"edits": {"agenda": {}}}, ConfigError, "nothing to edit"),
    ("2/voter", {"edits": {"rulings": {}}}, ConfigError, "unknown key"),
    ("2/voter", {"edits": {"agenda": {"FIRST": {"x": 7, "y": 0, "kind": "a"}}}}, ConfigError, "x"),
    ("2/voter", {"edits": {"agenda": {"p-0000000000": {}}}}, NotFoundError, "p-0000000000"),
    ("2/voter", {"edits": {"agenda": {}}}, ConfigError, "taken away"),
    ("2/executor", {"edits": {"rulings": {"FIRST": {"decision": "maybe"}}}}, ConfigError, "maybe"),
    ("2/executor", {"edits": {"rulings": {"FIRST": {"verdict": 1}}}}, ConfigError, "verdict"),
    ("2/executor", {"edits": {"rulings": {"FIRST": 3}}}, ConfigError, "no mapping"),
]


def test_what_does_not_fit_is_refused_and_leaves_nothing(tiny: TinyRun) -> None:
    with tiny.ledger() as ledger:
        known, last = ledger.campaigns(), ledger.last_seq()
    for spec, asked, error, said in REFUSED:
        edits = (
            {
                part: _named(entries, state_at(tiny, spec).get(part, {}))
                for part, entries in asked.get("edits", {}).items()
            }
            if spec != "2"
            else asked.get("edits", {})
        )
        with pytest.raises(error, match=re.escape(said)):
            forked(tiny, spec, **{**asked, **({"edits": edits or {"agenda": {}}} if "edits" in asked else {})})
        with tiny.ledger() as ledger:
            assert (ledger.campaigns(), ledger.last_seq()) == (known, last), spec


def _named(entries: Mapping[str, Any], there: Mapping[str, Any]) -> dict[str, Any]:
    """`FIRST` for the first proposal, with all others as they are; entries that name none stay."""
    if "FIRST" not in entries:
        return dict(entries)
    return {**there, next(iter(there)): entries["FIRST"]}


def test_killed_anywhere_a_fork_is_there_whole_or_not_at_all(tiny: TinyRun) -> None:
    whole = len(events_up_to(history_events(tiny, ID), ForkPoint(cycle=2))) + 2
    with tiny.ledger() as ledger:
        known = {one.id for one in ledger.campaigns()}
    moments = 0
    for _ in killed_everywhere(lambda: forked(tiny, "2")):
        moments += 1
        with tiny.ledger() as ledger:
            new = {one.id for one in ledger.campaigns()} - known
            assert all(len(list(ledger.events(one))) == whole for one in new)
    assert moments >= 2  # opening the ledger, and the fork itself
    with tiny.ledger() as ledger:
        assert len(list(ledger.events(ledger.campaigns()[-1].id))) == whole


def history_events(tiny: TinyRun, campaign_id: str) -> list[Any]:
    with tiny.ledger() as ledger:
        return list(ledger.events(campaign_id))


def test_points_are_whole_cycles_and_checkpoints(tiny: TinyRun) -> None:
    with tiny.ledger() as ledger:
        stored = ledger.campaign(ID)
        points = points_of(tiny.home, ledger, stored)
        names = [str(one.point) for one in points]
        assert names[0] == "0"
        assert names[-1] == "3"
        assert {"1", "2/proposer", "2/voter", "3/historian"} <= set(names)
        (voter,) = [one for one in points if str(one.point) == "2/voter"]
        assert find_point(tiny.home, ledger, stored, voter.checkpoint) == voter
        with pytest.raises(NotFoundError, match="checkpoint"):
            find_point(tiny.home, ledger, stored, "00000000-0000-0000-0000-000000000000")
        kept, left = share_of(ledger, stored, voter.point)
    assert (kept.cycles, kept.trials, left.cycles, left.trials) == (1, 2, 2, 4)


def test_a_parked_cycle_is_forked_and_both_go_on(tmp_path: Path) -> None:
    seats = council(supervisor={"use": "roles.py:careful", "asks": True})
    tiny = TinyRun(tmp_path, council=seats, approvals="confirm")
    ending, _ = tiny.run()
    assert ending.status == "waiting"
    questions = state_at(tiny, "1/executor")["rulings"]
    assert {one["decision"] for one in questions.values()} == {"ask"}
    first, second = questions
    edits = {first: {**questions[first], "decision": "accept"}, second: {**questions[second], "decision": "reject"}}
    decided = forked(tiny, "1/executor", edits={"rulings": edits})
    ending, history = go_on(tiny, decided.id)
    assert ending.status == "finished"
    assert [e.proposal.id for e in history.experiments()] == [first]
    asks_itself = forked(tiny, "1/approval")
    assert go_on(tiny, asks_itself.id)[0].status == "waiting"
    with tiny.ledger() as ledger:
        approvals = open_approvals(ledger)
        for campaign in (ID, asks_itself.id):
            assert len(approvals.waiting(campaign)) == 2
        for asked in approvals.waiting(ID):
            approvals.answer(asked.id, Answer(kind="accept"), by="ann", door="cli", shown_hash=asked.shown_hash)
        assert len(approvals.waiting(asks_itself.id)) == 2  # a yes in one is none in the other
    ending, history = go_on(tiny, ID)
    assert (ending.status, len(history.experiments())) == ("finished", 2)


def test_remembered_answers_hold_in_the_fork_and_are_its_own(tmp_path: Path) -> None:
    seats = council(supervisor={"use": "roles.py:careful", "asks": True})
    tiny = TinyRun(tmp_path, council=seats, approvals="confirm", budget={"cycles": 2})
    tiny.run()
    with tiny.ledger() as ledger:
        approvals = open_approvals(ledger)
        for asked in sorted(approvals.waiting(ID), key=lambda one: -one.risk):
            answer = Answer(kind="accept", remember="campaign")
            approvals.answer(asked.id, answer, by="ann", door="cli", shown_hash=asked.shown_hash)
    assert go_on(tiny, ID)[0].status == "finished"
    made = forked(tiny, "1")
    with tiny.ledger() as ledger:
        approvals = open_approvals(ledger)
        before = approvals.rules(ID)
        for rule in approvals.rules(made.id):
            approvals.forget(rule.id, by="ann")
        assert approvals.rules(ID) == before
    assert go_on(tiny, made.id)[0].status == "waiting"
    assert go_on(tiny, forked(tiny, "1").id)[0].status == "finished"


def test_a_fork_of_a_campaign_on_code_has_its_base_and_candidates(tmp_path: Path) -> None:
    told = told_campaign(tmp_path / "home", write_package(tmp_path / "package"), finished=False, verdict=None)
    with told.state.open_ledger() as ledger:
        made = fork(ledger, ledger.campaign(told.id), ForkPoint(cycle=1))
        ours, theirs = (open_code(told.state, ledger, ledger.campaign(one)) for one in (made.id, told.id))
        assert ours.base.digest == theirs.base.digest
        assert [e.proposal.id for e in History.load(ledger, made.id).experiments()] == list(told.candidates)


def test_answers_that_were_paid_in_the_past_are_paid_for(tiny: TinyRun) -> None:
    calls = [ChatCall(model_id="m", messages=(Message(role="user", text=f"cycle {cycle}"),)) for cycle in (1, 3)]
    with tiny.ledger() as ledger:
        point = ForkPoint(cycle=2)
        (moved,) = [e for e in ledger.events(ID, cycle=1) if isinstance(e, CycleFinished)]
        for cycle, call in zip((1, 3), calls, strict=True):
            effect = ledger.effects.begin(key_of(ID, call), KIND, ID, call.model_dump(mode="json"))
            ledger.effects.finish(effect, ChatReply(text=f"answer {cycle}").model_dump_json())
        asked = ModelCalled(
            campaign_id=ID, cycle=1, call=calls[0].key, role="director", seat="d", prompt="p", edition="1", model_id="m"
        )
        past = [*events_up_to(ledger.events(ID), point), asked.model_copy(update={"seq": moved.seq})]
        shared = shared_effects(ledger, ledger.campaign(ID), "another-1", past)
    assert [effect.key for effect in shared if effect.kind == KIND] == [key_of("another-1", calls[0])]
