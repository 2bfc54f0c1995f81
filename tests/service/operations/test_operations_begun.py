"""A request under a key whose process died after the deed: sent again, it finds what was begun, and begins no more."""

from __future__ import annotations

import asyncio
import inspect
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from command_line import CAMPAIGN, DEADLINE_S, Finished, write_campaign

from core.errors import ConflictError, UnavailableError
from core.policy import CAPABILITIES
from core.settings import Settings
from memory.guidance import GuidanceBook
from memory.lineage import forks_of
from service.operations.desk import Asker, Desk, open_desk
from service.operations.once import perform_once
from service.operations.operation import Operation
from service.operations.performing import taken_of
from service.operations.table import operation

ASKER = Asker("token", ("owner",), capabilities=frozenset(CAPABILITIES), route="POST /")
PARENT = "tiny-1"
SHORT = CAMPAIGN.replace("control: [random]\n", "").replace("verdict_pairs: 3", "verdict_pairs: 2")


@pytest.fixture
def desk(finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("RATCHET_EMBEDDING_MODEL", "hash")
    shutil.copytree(finished.home, tmp_path / "home")
    files = {"tiny": write_campaign(tmp_path / "tiny", SHORT) / "campaign.yaml"}
    with open_desk(Settings(home=tmp_path / "home", embedding_model="hash"), ASKER, campaigns=files) as desk:
        yield desk


def ask(desk: Desk, name: str, given: dict[str, Any], key: str = "k") -> Any:
    wanted = operation(name)
    return asyncio.run(perform_once(wanted, taken_of(wanted, given), desk, key))


def ask_and_die(desk: Desk, name: str, given: dict[str, Any], key: str = "k") -> None:
    """The deed is done, and then nobody is left to keep its answer."""
    wanted = operation(name)
    assert not inspect.iscoroutinefunction(wanted.function)

    def dying(taken: Any, lent: Desk) -> Any:
        wanted.function(taken, lent)
        raise UnavailableError("the process is gone")

    cut: Operation = replace(wanted, function=dying)
    with pytest.raises(UnavailableError, match="is gone"):
        asyncio.run(perform_once(cut, taken_of(wanted, given), desk, key))


def wait_for_end(desk: Desk, campaign: str, sessions: int) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while True:
        stored = desk.ledger.campaign(campaign)
        if stored.sessions >= sessions and desk.ledger.leases.owner(f"campaign {campaign}") is None:
            return
        assert time.monotonic() < deadline, stored
        time.sleep(0.05)


def test_a_fork_is_made_once(desk: Desk) -> None:
    given = {"campaign": PARENT, "at": "2"}
    ask_and_die(desk, "campaigns.fork", given)
    made = ask(desk, "campaigns.fork", given)
    assert [one.campaign_id for one in forks_of(desk.ledger, PARENT)] == [made.campaign]
    assert ask(desk, "campaigns.fork", given, key="l").campaign != made.campaign


def test_a_name_that_is_taken_stays_an_error(desk: Desk) -> None:
    for _ in range(2):
        with pytest.raises(ConflictError, match="already"):
            ask(desk, "campaigns.fork", {"campaign": PARENT, "at": "2", "name": PARENT})


def test_a_sentence_is_said_once(desk: Desk) -> None:
    given = {"campaign": PARENT, "text": "keep x below 0.5"}
    ask_and_die(desk, "guidance.give", given)
    said = ask(desk, "guidance.give", given)
    assert [one.guidance.id for one in GuidanceBook(desk.ledger).receipts(PARENT)] == [said.id]


def test_a_run_that_has_ended_meanwhile_is_the_answer(desk: Desk) -> None:
    given = {"run_id": "mine", "episodes": 1}
    desk.stopping.set()  # the server has no time to see it begin
    with pytest.raises(UnavailableError, match="this server stops"):
        ask(desk, "training.start", given)
    desk.stopping.clear()
    wait_for_end(desk, "mine", 1)
    told = ask(desk, "training.start", given)
    assert (told.status, told.run_id, told.episode_id, told.pid) == ("started", "mine", "mine_ep0001", None)
    assert desk.ledger.campaign("mine").sessions == 1

    ask_and_die(desk, "campaigns.run_cycle", {"campaign": "mine"}, key="more")
    wait_for_end(desk, "mine", 2)
    assert ask(desk, "campaigns.run_cycle", {"campaign": "mine"}, key="more").cycles == 2
    stored = desk.ledger.campaign("mine")
    assert (stored.status, stored.definition.budget.cycles, stored.sessions) == ("finished", 2, 2)


def test_what_was_refused_while_another_run_goes_on_is_not_started_when_it_is_sent_again(desk: Desk) -> None:
    lease = desk.ledger.leases.acquire(f"campaign {PARENT}")
    given = {"run_id": PARENT, "episodes": 1}
    for _ in range(2):
        with pytest.raises(ConflictError, match="is being run"):
            ask(desk, "training.start", given)
    desk.ledger.leases.release(lease)
