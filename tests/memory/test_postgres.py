"""The ledger in PostgreSQL, on a server that these tests start and stop."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from memory_records import campaign
from postgres_cluster import cluster, missing

from core.approvals import Answer, Approval
from core.errors import ApprovalError, BusyError, RatchetError, StorageError
from core.events import AnyEvent, CampaignResumed
from core.process import identify
from core.production import ProductionOutcome
from memory import schema
from memory.approvals import Approvals
from memory.embeddings import HashEmbedder
from memory.ledger import Ledger
from memory.outcomes import OutcomeStore
from memory.recall import Recall
from memory.transfer import Transfer

pytestmark = [
    pytest.mark.skipif(bool(missing()), reason=missing()),
    pytest.mark.xdist_group("postgres"),
]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with cluster() as url:
        yield url


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    with Ledger(url) as opened:
        yield opened
        schema.metadata.drop_all(opened.database.engine)


def resumed(session: int, campaign_id: str = "tiny-1") -> CampaignResumed:
    return CampaignResumed(campaign_id=campaign_id, session=session)


def test_events_are_kept_once_and_in_order(ledger: Ledger) -> None:
    heard: list[AnyEvent] = []
    ledger.listen(heard.append)
    ledger.append(resumed(1), resumed(2))
    assert ledger.append(resumed(2)) == []
    ledger.append(resumed(1), resumed(3))
    assert [e.session for e in ledger.events("tiny-1")] == [1, 2, 3]  # type: ignore[union-attr]
    assert list(ledger.events()) == heard
    assert [e.seq for e in heard] == sorted(e.seq for e in heard)
    assert ledger.subjects("3") == [("tiny-1", "3")]


def test_a_second_opening_finds_what_the_first_left(ledger: Ledger, url: str) -> None:
    stored = ledger.create_campaign(campaign())
    ledger.update_campaign(stored.id, status="interrupted", new_session=True)
    with Ledger(url) as again:
        assert again.campaign("tiny-1").status == "interrupted"
        assert again.create_campaign(campaign()).id == "tiny-2"


def test_effects_keep_their_fence(ledger: Ledger) -> None:
    late = ledger.effects.begin("j-1", "job", "tiny-1", {"x": 1})
    present = ledger.effects.begin("j-1", "job", "tiny-1", {"x": 1})
    assert not ledger.effects.finish(late, "late")
    assert ledger.effects.finish(present, "in time")
    assert ledger.effects.begin("j-1", "job", "tiny-1", {"x": 1}).result == "in time"
    with pytest.raises(RatchetError, match="another request"):
        ledger.effects.begin("j-1", "job", "tiny-1", {"x": 2})


def test_embeddings_come_back_bit_by_bit(ledger: Ledger) -> None:
    import numpy as np

    from memory.embedding_rows import EmbeddingRow

    vector = np.linspace(-1, 1, 384, dtype="<f4")
    row = EmbeddingRow(
        id="t-1",
        collection="trajectories",
        campaign_id="tiny-1",
        text="é",
        vector=vector,
        model_id="m",
        metadata={"a": 1},
    )
    ledger.embeddings.put_embeddings([row, row])
    [stored] = ledger.embeddings.embeddings()
    assert np.array_equal(stored.vector, vector)
    assert (stored.text, stored.metadata) == ("é", {"a": 1})


RACER = """
import sys
from core.errors import BusyError
from core.events import CampaignResumed
from memory.ledger import Ledger
with Ledger(sys.argv[1]) as ledger:
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        ledger.leases.acquire("campaign tiny-1")
        print("mine", flush=True)
    except BusyError as error:
        print(error.what, flush=True)
    for number in range(100):
        ledger.append(CampaignResumed(campaign_id=sys.argv[2], session=number))
    sys.stdin.readline()
"""


def test_of_two_processes_at_once_one_gets_the_lease_and_both_append(ledger: Ledger, url: str) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, url, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for name in ("a", "b")
    ]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()
    answers = {racer.pid: racer.stdout.readline().strip() for racer in racers}
    [owner] = [pid for pid, answer in answers.items() if answer == "mine"]
    [refused] = [answer for answer in answers.values() if answer != "mine"]
    assert refused == f"campaign tiny-1 is being run by process {owner}"
    assert ledger.leases.owner("campaign tiny-1") == identify(owner)
    with pytest.raises(BusyError):
        ledger.leases.acquire("campaign tiny-1")
    for racer in racers:
        racer.communicate("end\n", timeout=60)
        assert racer.returncode == 0
    for name in ("a", "b"):
        assert [e.session for e in ledger.events(name)] == list(range(100))  # type: ignore[union-attr]
    assert ledger.leases.acquire("campaign tiny-1").fence == 2


def test_a_reader_never_sees_a_later_event_before_an_earlier_one(ledger: Ledger, url: str) -> None:
    """One writer has its number and has not committed yet: the next one waits, so that a reader never skips it."""
    event = resumed(1)
    with Ledger(url) as other, ThreadPoolExecutor(1) as pool:
        with ledger.database.write() as connection:
            body = event.model_dump_json(exclude={"seq", "at"})
            values = {
                "key": event.key,
                "type": event.type,
                "cycle": 0,
                "subject": "1",
                "at": 0,
                "version": 1,
                "body": body,
            }
            connection.execute(sa.insert(schema.events).values(campaign_id="tiny-1", **values))
            second = pool.submit(other.append, resumed(2))
            waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            while connection.exec_driver_sql(waiting).scalar() == 0:
                assert not second.done()
            assert list(other.events()) == []
        second.result(timeout=60)
        assert [e.session for e in other.events()] == [1, 2]  # type: ignore[union-attr]


def test_another_schema_is_refused(ledger: Ledger, url: str) -> None:
    with ledger.database.write() as connection:
        connection.execute(sa.update(schema.facts).values(value="99"))
    with pytest.raises(StorageError, match="the ledger has schema 99"):
        Ledger(url)


def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    with pytest.raises(StorageError, match="does not answer") as caught:
        Ledger(f"postgresql://someone:secret@127.0.0.1:1/{uuid.uuid4().hex}")
    assert "secret" not in str(caught.value)
    assert "127.0.0.1" in caught.value.where


def test_outcomes_are_kept_found_and_counted(ledger: Ledger, tmp_path: Path) -> None:
    first = ProductionOutcome(agent="builder", task="parse a log \x00 file", success=True, result={"code": "x = 1"})
    second = ProductionOutcome(agent="qa", task="test it", success=True, learned_from=(first.id,))
    with Recall.open(tmp_path / "recall", ledger.embeddings, HashEmbedder()) as recall:
        store = OutcomeStore(ledger, recall)
        for outcome in (first, second, second):
            store.keep_outcome(outcome)
        assert store.outcomes() == [second, first]
        assert [item.key for item in store.search(("outcomes",), query="a log file", limit=1, reader="qa")] == [
            first.id
        ]
        assert store.knowledge_transfer() == (Transfer("builder", "qa", read=1, used=1, succeeded=1),)
        assert store.record_of("qa", "general") == (1, 1)
    with Recall.open(tmp_path / "other", ledger.embeddings, HashEmbedder()) as recall:
        assert len(OutcomeStore(ledger, recall).search(query="a file", limit=5)) == 2


def test_of_many_that_answer_at_once_exactly_one_wins_and_one_uses_the_yes(ledger: Ledger) -> None:
    approvals = Approvals(ledger)
    shown = {"title": "DEPLOY", "what": "leave", "why": "a rule", "risk": 0.5, "without_answer": "it is not done"}
    asked = approvals.ask(Approval.make(asks="action", subject="DEPLOY:1", kind="DEPLOY", **shown), expire_s=3600)

    def answer_and_use(who: int) -> tuple[bool, bool]:
        won = used = False
        with contextlib.suppress(ApprovalError):
            approvals.answer(asked.id, Answer(kind="accept"), by=str(who), door="rest", shown_hash=asked.shown_hash)
            won = True
        with contextlib.suppress(ApprovalError):
            approvals.use(asked.id, asked.shown_hash)
            used = True
        return won, used

    with ThreadPoolExecutor(8) as threads:
        told = list(threads.map(answer_and_use, range(8)))
    assert [sum(one) for one in zip(*told, strict=True)] == [1, 1]
    held = approvals.get(asked.id[:5])
    assert held.answer is not None
    assert (held.state, told[int(held.answer.by)][0]) == ("used", True)
    assert [event.type for event in ledger.events("")] == ["ApprovalAsked", "ApprovalAnswered", "ApprovalUsed"]
    again = approvals.ask(asked, expire_s=3600, again=True)
    assert (again.nonce, approvals.waiting()) == (2, [again])
