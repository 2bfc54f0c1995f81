"""Webhooks of a run: at least once, and none that may not leave, over kill -9 too.  The receiver is a real one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import CAMPAIGN, DEADLINE_S, ROOT, Cli, environment, write_campaign
from told_campaign import Told, tell_campaign, tell_cycle

from core.errors import ConfigError
from core.events import BestImproved, CampaignFinished, CampaignResumed, CycleStarted, LessonLearned
from core.records import Lesson
from core.settings import Settings, load_settings
from memory.audit import Audit
from memory.ledger import Ledger
from runtime.webhooks.courier import Pace
from runtime.webhooks.signature import VARIABLE, read_secret, verify
from service.exports.webhooks import DELIVERY, follow_webhooks
from tests.collectors.webhook_receiver import Receiver, webhook_receiver

SECRET = "whsec_" + "Q" * 43 + "="
PACE = Pace(first_s=0.01, most_s=0.02, tries=3)
ENVIRONMENT = {VARIABLE: SECRET}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with webhook_receiver() as one:
        yield one


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[Told]:
    """A campaign before its first cycle."""
    told = tell_campaign(tmp_path / "home", cycles=0, finished=False)
    yield told
    told.ledger.close()


class Following:
    """A run of the campaign, as far as webhooks are concerned."""

    def __init__(self, told: Told, receiver: Receiver, **settings: Any) -> None:
        self.said: list[str] = []
        self._told = told
        told.ledger.update_campaign(told.stored.id, new_session=True)
        self._around = follow_webhooks(
            told.ledger,
            told.stored,
            Settings.model_validate({"webhook_url": receiver.url, **settings}),
            self.said.append,
            environment=ENVIRONMENT,
            pace=PACE,
        )

    def __enter__(self) -> Following:
        self._around.__enter__()
        session = self._told.ledger.campaign(self._told.stored.id).sessions
        self._told.tell(CampaignResumed(campaign_id=self._told.stored.id, session=session))
        return self

    def __exit__(self, *_: object) -> None:
        self._around.__exit__(None, None, None)


def types(receiver: Receiver) -> list[str]:
    return [got.json["type"] for got in receiver.accepted]


def test_the_important_events_arrive_signed_and_in_order(begun: Told, receiver: Receiver) -> None:
    with Following(begun, receiver) as run:
        tell_cycle(begun, 1)
        begun.tell(CampaignFinished(campaign_id=begun.stored.id, session=1, reason="all cycles done"))
    assert types(receiver) == ["BestImproved", "CampaignFinished"]
    first = receiver.accepted[0]
    assert verify(read_secret(SECRET), first.headers, first.body, now=time.time())
    told = first.json
    assert told["id"] == first.headers["webhook-id"]
    assert told["campaign"] == begun.stored.id
    assert told["data"]["proposal_id"] == begun.proposals[0].id
    assert told["data"]["score"] == -0.2
    assert told["timestamp"].startswith("2027-01-15T08:")
    assert run.said == []


def test_chosen_types_arrive_without_secrets(begun: Told, receiver: Receiver) -> None:
    key = "sk-" + "a" * 30
    lesson = Lesson(id="l-1", kind="insight", text=f"api_key={key} by ann@example.com", cycle=1)
    with Following(begun, receiver, webhook_events="LessonLearned"):
        begun.tell(CycleStarted(campaign_id=begun.stored.id, cycle=1))
        begun.tell(LessonLearned(campaign_id=begun.stored.id, cycle=1, lesson=lesson))
    assert types(receiver) == ["LessonLearned"]
    assert key.encode() not in receiver.got[0].body
    assert b"ann@example.com" not in receiver.got[0].body
    assert receiver.got[0].json["data"]["lesson"]["id"] == "l-1"


def test_what_was_not_accepted_is_sent_by_the_next_run_under_the_same_id(begun: Told, receiver: Receiver) -> None:
    receiver.script = lambda _: (500, {})
    with Following(begun, receiver) as run:
        tell_cycle(begun, 1)
        receiver.wait_for(lambda r: len(r.got) == PACE.tries)
    assert any("the next run of told-1 sends it again" in line for line in run.said)
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 1
    receiver.script = lambda _: (200, {})
    with Following(begun, receiver) as again:
        tell_cycle(begun, 2)
        receiver.wait_for(lambda r: len(r.accepted) == 2)
    assert types(receiver) == ["BestImproved", "BestImproved"]
    assert receiver.accepted[0].headers["webhook-id"] == receiver.got[0].headers["webhook-id"]
    assert again.said == []
    before = len(receiver.got)
    with Following(begun, receiver):  # nothing new: nothing is sent twice
        pass
    assert len(receiver.got) == before
    effects = begun.ledger.effects.of(begun.stored.id, DELIVERY)
    assert [effect.state for effect in effects] == ["finished", "finished"]
    assert "hidden" not in json.dumps([effect.request for effect in effects])  # the token of the address


def test_what_happened_before_it_was_set_is_not_sent(begun: Told, receiver: Receiver) -> None:
    tell_cycle(begun, 1)
    with Following(begun, receiver):
        tell_cycle(begun, 2)
    assert len(receiver.accepted) == 1
    assert receiver.accepted[0].json["data"]["score"] == -0.1


def test_in_safe_mode_nothing_leaves_then_or_later(begun: Told, receiver: Receiver) -> None:
    with Following(begun, receiver):
        tell_cycle(begun, 1)
    with Following(begun, receiver, safe_mode=True) as safe:
        tell_cycle(begun, 2)
    assert len(safe.said) == 1
    assert "nothing is sent" in safe.said[0]
    assert "safe mode" in safe.said[0]
    with Following(begun, receiver):
        tell_cycle(begun, 3)
    scores = [got.json["data"]["score"] for got in receiver.accepted]
    assert scores == [-0.2, -0.2 / 3]
    answers = [(e.action, e.decision) for e in Audit(begun.ledger.database).entries()]
    assert answers == [("REMOTE_CALL", "allowed"), ("REMOTE_CALL", "denied"), ("REMOTE_CALL", "allowed")]


def test_another_campaign_in_the_same_ledger_is_not_told_of(begun: Told, receiver: Receiver) -> None:
    other = begun.ledger.create_campaign(begun.stored.definition)
    with Following(begun, receiver):
        begun.tell(BestImproved(campaign_id=other.id, cycle=1, proposal_id="p-1", score=1.0, previous=None))
        tell_cycle(begun, 1)
    assert [got.json["campaign"] for got in receiver.accepted] == [begun.stored.id]


def test_a_ledger_that_fails_under_it_fails_no_run(begun: Told, receiver: Receiver) -> None:
    with Following(begun, receiver) as run:
        with begun.ledger.database.write() as connection:
            connection.exec_driver_sql("ALTER TABLE effect RENAME TO elsewhere")
        tell_cycle(begun, 1)
    assert run.said
    with begun.ledger.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO effect")


def test_wrong_settings_are_told_at_once(begun: Told, receiver: Receiver) -> None:
    for environment_, settings, word in (
        ({}, {}, VARIABLE),
        (ENVIRONMENT, {"webhook_events": "BestImprovd"}, "BestImproved"),
        (ENVIRONMENT, {"webhook_url": "http://example.com/x"}, "https"),
    ):
        told = Settings.model_validate({"webhook_url": receiver.url, **settings})
        with (
            pytest.raises(ConfigError) as refused,
            follow_webhooks(begun.ledger, begun.stored, told, print, environment=environment_),
        ):
            raise AssertionError("it began all the same")
        assert word in str(refused.value)


def test_several_addresses_come_from_one_variable() -> None:
    variables = {"RATCHET_WEBHOOK_URL": "https://a.example/x, https://b.example/y", "RATCHET_WEBHOOK_SECRET": SECRET}
    assert load_settings({}, {}, variables).webhook_url == ("https://a.example/x", "https://b.example/y")


def test_the_command_tries_and_lists_them(
    cli: Cli, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    assert cli("webhooks", home=home).code == 3
    monkeypatch.setenv("RATCHET_WEBHOOK_URL", receiver.url)
    assert VARIABLE in cli("webhooks", home=home).err
    monkeypatch.setenv(VARIABLE, SECRET)
    tried = cli("webhooks", "test", "--json", home=home)
    assert (tried.code, tried.json["receivers"][0]["status"]) == (0, 200)
    assert receiver.got[0].json["type"] == "test"
    assert "hidden" not in tried.out
    receiver.script = lambda _: (403, {})
    assert cli("webhooks", "test", home=home).code == 4
    assert cli("webhooks", "test", "--set", "safe_mode=true", home=home).code == 3
    assert len(receiver.got) == 2
    listed = cli("webhooks", "--json", home=home).json
    assert listed["receivers"] == [{"receiver": f"http://127.0.0.1:{receiver.port}", "accepted": 0, "waiting": 0}]


SHORT = (
    CAMPAIGN.partition("budget:")[0]
    + """
budget: {cycles: 1}
noise: {repeats: 1, verdict_pairs: 0}
council: {jobs_per_cycle: 1}
"""
)
WAITING = """
import json, os, sys, time
config = json.load(open(sys.argv[1]))
go = os.path.join(os.path.dirname(os.path.abspath(__file__)), "go")
while config["x"] != 0.8 and not os.path.exists(go):
    time.sleep(0.02)
print(json.dumps({"accuracy": 1 - (config["x"] - 0.3) ** 2}))
"""


@pytest.mark.slow
def test_after_kill_9_the_next_run_sends_what_was_not_accepted(tmp_path: Path, receiver: Receiver) -> None:
    """The trials of the first process wait, so that it can be killed while its only message is not accepted."""
    folder = write_campaign(tmp_path / "tiny", SHORT, WAITING)
    chosen = "BaselineMeasured CycleStarted CampaignFinished"
    command = [
        sys.executable,
        str(ROOT / "run_graph.py"),
        "run",
        str(folder),
        "--home",
        str(tmp_path / "home"),
        "--json",
    ]
    variables = {
        **environment(),
        "RATCHET_WEBHOOK_URL": receiver.url,
        "RATCHET_WEBHOOK_EVENTS": chosen,
        VARIABLE: SECRET,
    }
    receiver.script = lambda _: (503, {"Retry-After": "3000"})
    first = subprocess.Popen(command, env=variables, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        receiver.wait_for(lambda r: len(r.got) == 1)
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait(DEADLINE_S)
    receiver.script = lambda _: (200, {})
    (folder / "go").touch()
    second = subprocess.run(
        command, env=variables, cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE_S, check=False
    )
    assert second.returncode == 0, second.stderr
    assert types(receiver) == ["BaselineMeasured", "CycleStarted", "CampaignFinished"]
    assert receiver.got[0].headers["webhook-id"] == receiver.accepted[0].headers["webhook-id"]
    key = read_secret(SECRET)
    assert all(verify(key, got.headers, got.body, now=time.time(), tolerance_s=3600) for got in receiver.got)
    with Ledger(tmp_path / "home" / "ledger.db") as ledger:
        (stored,) = ledger.campaigns()
        assert {effect.state for effect in ledger.effects.of(stored.id, DELIVERY)} == {"finished"}
