"""A run with a model, recorded and repeated without one; nothing secret in the file."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
from pathlib import Path

import pytest
from calls import Judgement, call, prompt, repair

from core.errors import ConfigError, ModelBudgetError, ModelRefusedError, ModelSilentError, StorageError
from runtime.models.asking import AskingModel
from runtime.models.recording import RecordingChat, ReplayChat, replay_key
from runtime.models.scripted import FunctionChat, ScriptedChat

GOOD = '{"score": 0.5, "reason": "fine"}'
SECRETS = [
    "sk-proj-abcdefghijklmnop1234", "ghp_abcdefghijklmnopqrstuvwxyz012345", "AKIAIOSFODNN7EXAMPLE", "hunter2hunter2",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefgh", "ann.smith@mail.example.org", "/home/ann", "MIIEvQIBADANBg",
]  # fmt: skip
TEXT = (
    f"key={SECRETS[0]} {SECRETS[1]} {SECRETS[2]} password: {SECRETS[3]}\nAuthorization: Bearer {SECRETS[4]}\n"
    f"{SECRETS[5]} wrote {SECRETS[6]}/notes.txt\n-----BEGIN RSA PRIVATE KEY-----\n{SECRETS[7]}\n"
)


def test_what_was_recorded_is_replayed_and_costs_nothing(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "run.jsonl"
    recording = RecordingChat(ScriptedChat([GOOD]), file)
    first = asyncio.run(AskingModel("ollama:a", recording, repair).ask(prompt(), Judgement))
    replay = ReplayChat(file)
    again = asyncio.run(AskingModel("replay:run.jsonl", replay, repair).ask(prompt(), Judgement))
    assert again == first
    reply = asyncio.run(ReplayChat(file).complete(_asked_by(prompt())))
    assert (reply.source, reply.cost_usd, reply.duration_s) == ("replay", 0.0, 0.0)
    assert file.stat().st_mode & 0o777 == 0o600


def _asked_by(asked: object) -> object:
    chat = ScriptedChat([GOOD])
    asyncio.run(AskingModel("x", chat, repair).ask(asked, Judgement))  # type: ignore[arg-type]
    return chat.calls[0]


def test_repeated_calls_get_their_replies_in_order(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    recording = RecordingChat(ScriptedChat(["one", "two"]), file)
    for _ in range(2):
        asyncio.run(recording.complete(call()))
    replay = ReplayChat(file)
    assert [asyncio.run(replay.complete(call())).text for _ in range(3)] == ["one", "two", "two"]


def test_silence_is_part_of_a_run_and_a_budget_is_not(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    recording = RecordingChat(ScriptedChat([ModelBudgetError("spent"), ModelSilentError("gone")]), file)
    for kind in (ModelBudgetError, ModelSilentError):
        with pytest.raises(kind):
            asyncio.run(recording.complete(call()))
    with pytest.raises(ModelSilentError, match="gone"):
        asyncio.run(ReplayChat(file).complete(call()))


def test_a_call_that_is_not_there_says_what_differs(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    asyncio.run(AskingModel("a", RecordingChat(ScriptedChat([GOOD]), file), repair).ask(prompt(), Judgement))
    cases = {
        "edition ffffffffffff, recorded 0123456789ab": prompt(edition="ffffffffffff", user="changed"),
        "no call of director/direction was recorded": prompt("director/direction", user="other"),
        "with other contents": prompt(user="other"),
    }
    for hint, asked in cases.items():
        with pytest.raises(ModelRefusedError) as caught:
            asyncio.run(AskingModel("a", ReplayChat(file), repair).ask(asked, Judgement))
        assert hint in caught.value.what
        assert asked.name in caught.value.what
    with pytest.raises(ModelRefusedError):
        asyncio.run(ReplayChat(file).complete(call()))


def test_nothing_secret_is_written_and_machines_share_keys(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    asyncio.run(RecordingChat(FunctionChat(lambda asked: TEXT), file).complete(call(TEXT)))
    written = file.read_text()
    for secret in SECRETS:
        assert secret not in written
    assert replay_key(call("in /home/ann/x")) == replay_key(call("in /home/bob/x"))
    assert replay_key(call("a")) != replay_key(call("b"))
    assert replay_key(call("a", model_id="other")) == replay_key(call("a"))


def test_a_torn_line_is_passed_over_and_a_wrong_one_named(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    recording = RecordingChat(ScriptedChat(["one", "two"]), file)
    asyncio.run(recording.complete(call("a")))
    whole = file.read_text()
    file.write_text(whole + whole[:40])
    assert asyncio.run(ReplayChat(file).complete(call("a"))).text == "one"
    asyncio.run(recording.complete(call("b")))  # the torn line makes room
    assert asyncio.run(ReplayChat(file).complete(call("b"))).text == "two"
    assert len(file.read_text().splitlines()) == 2
    file.write_text(json.dumps({"schema_number": 99}) + "\n")
    with pytest.raises(ConfigError) as caught:
        ReplayChat(file)
    assert "line 1" in caught.value.where
    with pytest.raises(ConfigError, match="cannot read"):
        ReplayChat(tmp_path / "absent.jsonl")


def test_a_recording_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        asyncio.run(RecordingChat(ScriptedChat(["x"]), tmp_path / "file" / "run.jsonl").complete(call()))


def _record(file: Path, name: str) -> None:
    async def play() -> None:
        chat = RecordingChat(FunctionChat(lambda asked: "y" * 20_000), file)
        await asyncio.gather(*(chat.complete(call(f"{name} {i}")) for i in range(40)))

    asyncio.run(play())


def test_two_processes_may_record_into_one_file(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_record, args=(file, name)) for name in ("a", "b")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    replay = ReplayChat(file)
    for name in ("a", "b"):
        assert len(asyncio.run(replay.complete(call(f"{name} 39"))).text) == 20_000
    assert len(file.read_text().splitlines()) == 80
