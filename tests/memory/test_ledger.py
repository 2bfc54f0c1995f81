"""The ledger: kept once, in order, heard after it is durable, by any number of processes."""

from __future__ import annotations

import math
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from memory_records import CAMPAIGN, campaign, finished, made, proposal

from core.errors import NotFoundError
from core.events import AnyEvent, CampaignFinished, CampaignResumed, CampaignStarted, JobReported, ProposalMade
from memory.ledger import Ledger


def test_what_is_told_twice_is_kept_once(ledger: Ledger) -> None:
    first, second = made(proposal(1, 1)), made(proposal(1, 2))
    assert [e.seq for e in ledger.append(first, second)] == [1, 2]
    assert ledger.append(second, first) == []
    [third] = ledger.append(first, made(proposal(1, 3)), second)
    assert isinstance(third, ProposalMade)
    assert third.proposal == proposal(1, 3)
    assert [e.key for e in ledger.events(CAMPAIGN)] == [first.key, second.key, third.key]


def test_the_same_key_in_another_campaign_is_another_event(ledger: Ledger) -> None:
    assert ledger.append(CampaignResumed(campaign_id="a", session=2), CampaignResumed(campaign_id="b", session=2))
    assert [e.campaign_id for e in ledger.events("b")] == ["b"]


def test_events_come_back_as_they_were_told_in_order(ledger: Ledger) -> None:
    told = [finished(proposal(1, n), score) for n, score in enumerate((0.25, None, math.pi))]
    for event in told:
        ledger.append(event)
    stored = list(ledger.events(CAMPAIGN))
    assert [e.model_copy(update={"seq": 0, "at": 0.0}) for e in stored] == told
    assert [e.seq for e in stored] == sorted({e.seq for e in stored})
    assert list(ledger.events(CAMPAIGN, after=stored[1].seq)) == stored[2:]
    assert list(ledger.events(CAMPAIGN, types=(ProposalMade,))) == []
    assert list(ledger.events(CAMPAIGN, cycle=1, subject=told[0].subject)) == stored[:1]


def test_a_metric_that_is_no_number_survives(ledger: Ledger) -> None:
    ledger.append(finished(proposal(1, 1), math.inf))
    [event] = ledger.events(CAMPAIGN)
    assert event.score == math.inf  # type: ignore[union-attr]


def test_listeners_hear_only_what_is_durable_and_new_in_order(ledger: Ledger, tmp_path: Path) -> None:
    heard: list[tuple[str, int]] = []

    def listen(event) -> None:
        with sqlite3.connect(tmp_path / "ledger.db") as other:  # another connection sees it: it is committed
            [(kept,)] = other.execute("SELECT count(*) FROM event WHERE seq = ?", (event.seq,)).fetchall()
        heard.append((event.type, kept))

    forget = ledger.listen(listen)
    ledger.append(made(proposal(1, 1)), made(proposal(1, 2)))
    ledger.append(made(proposal(1, 1)))
    ledger.append(JobReported(campaign_id=CAMPAIGN, job_id="j", metrics={"loss": 1.0}))
    assert heard == [("ProposalMade", 1), ("ProposalMade", 1), ("JobReported", 0)]
    forget()
    ledger.append(made(proposal(1, 3)))
    assert len(heard) == 3


def test_an_append_that_fails_keeps_none_of_its_events(ledger: Ledger) -> None:
    unwritable = made(proposal(1, 2).model_copy(update={"rationale": "\ud800"}))  # no UTF-8 for it
    with pytest.raises(Exception, match="surrogate"):
        ledger.append(made(proposal(1, 1)), unwritable)
    assert list(ledger.events()) == []


WRITER = """
import sys
from core.events import CampaignResumed
from memory.ledger import Ledger
with Ledger(sys.argv[1]) as ledger:
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(150):
        ledger.append(CampaignResumed(campaign_id=sys.argv[2], session=number))
"""


def test_processes_that_append_at_once_lose_nothing(ledger: Ledger, tmp_path: Path) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "ledger.db"), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("a", "b")
    ]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for number in range(150):
        ledger.append(CampaignResumed(campaign_id="c", session=number))
    for writer in writers:
        _, _ = writer.communicate(timeout=60)
        assert writer.returncode == 0
    for name in ("a", "b", "c"):
        assert [e.session for e in ledger.events(name)] == list(range(150))  # type: ignore[union-attr]
    seqs = [e.seq for e in ledger.events()]
    assert len(set(seqs)) == 450


def test_campaigns_are_numbered_by_name(ledger: Ledger) -> None:
    ids = [ledger.create_campaign(campaign(name=name)).id for name in ("tiny", "other", "tiny")]
    assert ids == ["tiny-1", "other-1", "tiny-2"]
    ledger.update_campaign("tiny-1", status="finished", new_session=True)
    assert [c.id for c in ledger.campaigns()][-1] == "tiny-1"
    assert (ledger.campaign("tiny-1").status, ledger.campaign("tiny-1").sessions) == ("finished", 1)
    assert ledger.campaign("tiny-2").definition == campaign()


def test_an_unknown_campaign_is_answered_with_the_known_ones(ledger: Ledger) -> None:
    ledger.create_campaign(campaign())
    with pytest.raises(NotFoundError) as caught:
        ledger.campaign("tinny-1")
    assert "tiny-1" in caught.value.hint


def test_subjects_are_found_by_what_they_begin_with(ledger: Ledger) -> None:
    asked = proposal(1, 1)
    ledger.append(made(asked))
    assert ledger.subjects(asked.id[:6]) == [(CAMPAIGN, asked.id)]
    assert ledger.subjects("p_") == []
    assert ledger.subjects("%") == []


def test_a_listener_that_appends_is_heard_by_all_in_order(ledger: Ledger) -> None:
    heard: list[str] = []

    def answering(event: AnyEvent) -> None:
        if event.type == "CampaignStarted":
            ledger.append(CampaignResumed(campaign_id=event.campaign_id, session=2))

    ledger.listen(answering)
    ledger.listen(lambda event: heard.append(event.type))
    ledger.append(
        CampaignStarted(campaign_id="c-1", name="c", kind="experiment", seed=0),
        CampaignFinished(campaign_id="c-1", session=1, reason="done"),
    )
    assert heard == ["CampaignStarted", "CampaignFinished", "CampaignResumed"]
