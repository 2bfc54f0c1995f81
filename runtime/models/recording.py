"""Answers written down and given again, so that a run with a model can be repeated without one.

A recording is JSON lines: schema number, key of the call, model, prompt and edition, what was asked last, and the reply
or the error.  Keys, tokens, home folders and addresses are scrubbed before anything is written; the key is that of the
scrubbed call, so that a recording of one machine is found again on another.
"""

from __future__ import annotations

import fcntl
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from core import errors
from core.errors import ConfigError, ModelBudgetError, ModelError, ModelRefusedError, StorageError
from core.ids import content_hash
from core.models import Chat, ChatCall, ChatReply
from core.records import Record
from core.scrub import scrubbed
from runtime.models.asking import current_prompt

__all__ = ["Recorded", "RecordingChat", "ReplayChat", "check_recording", "replay_key"]

LINE_LIMIT = 4 * 1024 * 1024


class Recorded(Record):
    """A line of a recording."""

    schema_number: Literal[1] = 1
    key: str
    model_id: str
    prompt: str = ""
    edition: str = ""
    about: str = ""
    reply: ChatReply | None = None
    error: str = ""
    """The name of a ModelError, where there is no reply."""
    what: str = ""


def replay_key(call: ChatCall) -> str:
    """The same for the same question at the same temperature and seed, whichever model is asked and wherever."""
    told = call.model_dump(mode="json", exclude={"model_id", "version"})
    told["messages"] = [{"role": message.role, "text": scrubbed(message.text)} for message in call.messages]
    return content_hash(told)


def check_recording(path: Path) -> None:
    """Raises StorageError where no recording can be written, before anything is paid for it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        why = "it is a folder" if path.is_dir() else ""
        if not why and not os.access(path if path.exists() else path.parent, os.W_OK):
            why = "it is not allowed"
    except OSError as error:
        why = str(error.strerror)
    if why:
        raise StorageError(
            f"cannot write the recording: {why}", where=str(path), hint="name a file in a folder of yours"
        )


class RecordingChat:
    """Passes calls on, and appends what comes of each to `path` (0600).  Raises StorageError when it cannot.

    Errors are recorded too, as a run that falls back to rules is a run; a budget is not the model's.
    """

    def __init__(self, chat: Chat, path: Path) -> None:
        self._chat = chat
        self._path = path

    async def complete(self, call: ChatCall) -> ChatReply:
        """The reply of the chat.  Raises what it raises, and StorageError."""
        try:
            reply = await self._chat.complete(call)
        except ModelBudgetError:
            raise
        except ModelError as error:
            self._append(call, {"error": type(error).__name__, "what": scrubbed(error.what)[:500]})
            raise
        self._append(call, {"reply": reply.model_copy(update={"text": scrubbed(reply.text)})})
        return reply

    def _append(self, call: ChatCall, outcome: dict[str, Any]) -> None:
        prompt = current_prompt.get()
        line = Recorded(
            key=replay_key(call),
            model_id=call.model_id,
            prompt=prompt.name if prompt else "",
            edition=prompt.edition if prompt else "",
            about=scrubbed(call.messages[-1].text)[:200] if call.messages else "",
            **outcome,
        )
        data = (line.model_dump_json() + "\n").encode(errors="replace")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)  # two processes may record into one file
                size = _whole_size(descriptor)
                os.ftruncate(descriptor, size)  # what follows was torn by a kill
                written = os.write(descriptor, data)
                if written < len(data):
                    os.ftruncate(descriptor, size)
                    raise OSError(28, "no space left on device")
            finally:
                os.close(descriptor)
        except OSError as error:
            raise StorageError(
                f"cannot write the recording: {error.strerror}",
                where=str(self._path),
                hint="is the disk full, or read-only?",
            ) from error


class ReplayChat:
    """Answers from a recording.  A call that was made several times gets its replies in order, then the last again.

    Raises ConfigError for a file that is none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: dict[str, list[Recorded]] = defaultdict(list)
        self._editions: dict[str, set[str]] = defaultdict(set)
        for line in _read(path):
            self._lines[line.key].append(line)
            self._editions[line.prompt].add(line.edition)
        self._given: dict[str, int] = defaultdict(int)

    def __len__(self) -> int:
        """So many calls are recorded."""
        return sum(map(len, self._lines.values()))

    async def complete(self, call: ChatCall) -> ChatReply:
        """The recorded reply, which costs nothing.  Raises the recorded error, and ModelRefusedError for a call that
        was not recorded, saying what differs as far as it can be known."""
        key = replay_key(call)
        lines = self._lines.get(key)
        if not lines:
            raise self._unknown(call)
        line = lines[min(self._given[key], len(lines) - 1)]
        self._given[key] += 1
        if line.reply is None:
            kind = getattr(errors, line.error, ModelRefusedError)
            raise kind(line.what, where=f"replayed from {self._path.name}")
        return line.reply.model_copy(update={"source": "replay", "duration_s": 0.0, "cost_usd": 0.0})

    def _unknown(self, call: ChatCall) -> ModelRefusedError:
        prompt = current_prompt.get()
        if prompt is None:
            name, why = "this", "the campaign, its seed or a prompt has changed since"
        elif prompt.name not in self._editions:
            name, why = prompt.name, f"no call of {prompt.name} was recorded"
        elif prompt.edition not in self._editions[prompt.name]:
            recorded = ", ".join(sorted(self._editions[prompt.name]))
            name, why = prompt.name, f"the prompt file has changed: edition {prompt.edition}, recorded {recorded}"
        else:
            name, why = prompt.name, "the same edition was recorded with other contents: a campaign or seed has changed"
        asked = scrubbed(call.messages[-1].text)[:80] if call.messages else ""
        return ModelRefusedError(
            f"the recording has no answer to {name}: {why}",
            where=f"{self._path}, asked {asked!r}",
            hint="record it again",
        )


def _whole_size(descriptor: int) -> int:
    """Bytes up to the end of the last whole line."""
    end = os.fstat(descriptor).st_size
    while end:
        begin = max(0, end - 65536)
        found = os.pread(descriptor, end - begin, begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0


def _read(path: Path) -> Iterator[Recorded]:
    try:
        with path.open("rb") as file:
            number = 0
            while data := file.readline(LINE_LIMIT):
                number += 1
                if not data.strip():
                    continue
                try:
                    yield Recorded.model_validate_json(data)
                except ValidationError as error:
                    if not data.endswith(b"\n") and len(data) < LINE_LIMIT:
                        return  # the last line of a run that was killed
                    raise ConfigError(
                        f"this is no recorded answer: {_first(error)}",
                        where=f"{path}, line {number}",
                        hint="is it a file that `--record` wrote?",
                    ) from error
    except OSError as error:
        raise ConfigError(
            f"cannot read the recording: {error.strerror}", where=str(path), hint="`run --record FILE` writes one"
        ) from error


def _first(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}".removeprefix(": ")
