"""Effects: an intent before it starts, one result, and a late owner's result refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.errors import RatchetError
from memory.effects import Effects
from memory.ledger import Ledger

REQUEST = {"config": {"x": 0.5}, "seed": 3}


@pytest.fixture
def effects(tmp_path: Path):
    with Ledger(tmp_path / "ledger.db") as ledger:
        yield ledger.effects


def test_an_effect_is_claimed_started_and_finished_once(effects: Effects) -> None:
    effect = effects.begin("j-1", "job", "tiny-1", REQUEST)
    assert (effect.state, effect.fence, effect.owner.pid, effect.request) == ("claimed", 1, os.getpid(), REQUEST)
    effects.started(effect, "pid 7")
    [row] = effects.of("tiny-1")
    assert (row.state, row.remote_id) == ("started", "pid 7")
    assert effects.finish(effect, "42")
    assert not effects.finish(effect, "43")
    effects.started(effect, "pid 8")
    again = effects.begin("j-1", "job", "tiny-1", REQUEST)
    assert (again.state, again.result, again.remote_id, again.fence) == ("finished", "42", "pid 7", 1)


def test_a_late_owner_is_refused(effects: Effects) -> None:
    late = effects.begin("j-1", "job", "tiny-1", REQUEST)
    present = effects.begin("j-1", "job", "tiny-1", REQUEST)
    assert present.fence == late.fence + 1
    effects.started(late, "pid of the late one")
    assert not effects.finish(late, "late")
    [row] = effects.of("tiny-1")
    assert (row.state, row.remote_id) == ("claimed", "")
    assert effects.finish(present, "in time")
    assert effects.begin("j-1", "job", "tiny-1", REQUEST).result == "in time"


def test_what_was_started_is_found_by_the_next_owner(effects: Effects) -> None:
    effects.started(effects.begin("j-1", "job", "tiny-1", REQUEST), "pid 7")
    assert effects.begin("j-1", "job", "tiny-1", REQUEST).remote_id == "pid 7"


def test_a_key_stands_for_one_request(effects: Effects) -> None:
    effects.begin("j-1", "job", "tiny-1", REQUEST)
    with pytest.raises(RatchetError, match="j-1 was begun with another request"):
        effects.begin("j-1", "job", "tiny-1", {**REQUEST, "seed": 4})
    assert effects.begin("j-1", "job", "tiny-1", dict(reversed(REQUEST.items()))).fence == 2


def test_effects_are_listed_by_campaign_and_kind(effects: Effects) -> None:
    for key, kind, owner in (("a", "job", "tiny-1"), ("b", "pull_request", "tiny-1"), ("c", "job", "tiny-2")):
        effects.begin(key, kind, owner, {})
    assert [e.key for e in effects.of("tiny-1")] == ["a", "b"]
    assert [e.key for e in effects.of("tiny-1", "job")] == ["a"]
