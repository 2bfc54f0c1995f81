"""Answers written down and given again, so that a run with a model can be repeated without one.

A recording is JSON lines: the schema number, the key of a call, the model, the reply, and what the call was about.
Keys, tokens, home folders and addresses are scrubbed before anything is written; the key of a call is that of the
scrubbed call, so that a recording of one machine is found again on another.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from core.errors import ConfigError, ModelRefusedError, StorageError
from core.ids import content_hash
from core.models import Chat, ChatCall, ChatReply

__all__ = ["RecordingChat", "ReplayChat", "scrubbed"]

SCHEMA = 1
SECRETS = (
    (re.compile(r"\b(?:sk|pk|ghp|gho|github_pat|xox[abp]|AKIA|hf)[-_]?[A-Za-z0-9_\-]{16,}"), "[secret]"),
    (re.compile(r"(?i)\bbearer\s+[A-Za-z0-9._~+/\-]{8,}=*"), "Bearer [secret]"),
    (re.compile(r"(?i)((?:api[_-]?key|token|password|secret)\s*[=:]\s*)[^\s\"',;]{6,}"), r"\1[secret]"),
    (re.compile(r"[A-Za-z0-9._%+\-]+@[A-Za-z0-9.\-]+\.[A-Za-z]{2,}"), "[address]"),
    (re.compile(r"(?:/home/|/Users/)[^/\s\"']+"), "~"),
)


def scrubbed(text: str) -> str:
    """Without keys, tokens, passwords, addresses and home folders."""
    for pattern, instead in SECRETS:
        text = pattern.sub(instead, text)
    return text


def _key(call: ChatCall) -> str:
    """The same for the same question, whichever model is asked and wherever."""
    told = call.model_dump(mode="json", exclude={"model_id", "version"})
    return content_hash(json.loads(scrubbed(json.dumps(told))))


class RecordingChat:
    """Passes calls on, and appends each answer to `path` (0600).  Raises StorageError when it cannot be written."""

    def __init__(self, chat: Chat, path: Path) -> None:
        self._chat = chat
        self._path = path

    async def complete(self, call: ChatCall) -> ChatReply:
        reply = await self._chat.complete(call)
        line = {
            "schema": SCHEMA,
            "key": _key(call),
            "model_id": call.model_id,
            "about": scrubbed(call.messages[-1].text)[:200],
            "reply": reply.model_dump(mode="json") | {"text": scrubbed(reply.text)},
        }
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(descriptor, (json.dumps(line, ensure_ascii=False) + "\n").encode())
            finally:
                os.close(descriptor)
        except OSError as error:
            raise StorageError(f"cannot write the recording: {error.strerror}", where=str(self._path)) from error
        return reply


class ReplayChat:
    """Answers from a recording, each as often as it is asked for.  Raises ConfigError for a file that is none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._replies = {line["key"]: ChatReply.model_validate(line["reply"]) for line in _lines(path)}

    async def complete(self, call: ChatCall) -> ChatReply:
        """Raises ModelRefusedError for a call that was not recorded."""
        reply = self._replies.get(_key(call))
        if reply is None:
            raise ModelRefusedError(
                f"the recording has no answer to this: {call.messages[-1].text[:80]!r}",
                where=str(self._path),
                hint="a prompt, the campaign or its seed has changed since; record it again",
            )
        return reply.model_copy(update={"source": "replay", "duration_s": 0.0, "cost_usd": 0.0})


def _lines(path: Path) -> list[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the recording: {error}", where=str(path)) from error
    told: list[dict[str, Any]] = []
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if row["schema"] != SCHEMA:
                raise ConfigError(f"schema {row['schema']!r} is not known", where=f"{path}, line {number}")
            ChatReply.model_validate(row["reply"])
            told.append(row)
        except (ValueError, KeyError, TypeError) as error:
            if number == len(lines):  # the last line of a run that was killed
                break
            raise ConfigError(f"this is no recorded answer: {error}", where=f"{path}, line {number}") from error
    return told
