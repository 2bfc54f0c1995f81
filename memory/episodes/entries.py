"""What goes into an episode: plain JSON data of bounded size, without secrets, one line of bytes each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from core.episodes import Entry, TrainingEpisode, checked_increments
from core.plain import plain
from core.scrub import scrubbed_data

__all__ = ["Kind", "fit", "line_of", "merged"]

Kind = Literal["action", "outcome", "context", "metrics"]

MAX_TEXT = 2_000
"""Characters that are kept of one text: an episode tells what was asked, and is no archive of prompts."""
MAX_READ = 8_000
"""Characters of one text that are looked at for secrets; more than is kept, so that none is cut in half."""
MAX_ITEMS = 50
MAX_BYTES = 64_000
"""Of one entry; the data of a larger one is left out, and its size is told."""


def fit(data: Any) -> dict[str, Any]:
    """`data` as a dictionary that may be kept; what is no mapping stands under `value`."""
    told = plain(data)
    if not isinstance(told, dict):
        told = {"value": told}
    told = _briefer(scrubbed_data(_fewer(told)))
    size = len(_bytes(told))
    return told if size <= MAX_BYTES else {"(cut)": f"{size} bytes"}


def line_of(kind: Kind, **told: Any) -> bytes:
    """One line of a journal, without its end; fields that are None are left out."""
    return _bytes({"kind": kind, **{name: value for name, value in told.items() if value is not None}})


def merged(episode: TrainingEpisode, lines: list[bytes]) -> TrainingEpisode:
    """The episode with what the lines of its journal tell; lines that are no JSON (torn by a kill) are counted."""
    actions, outcomes, context = list(episode.actions), list(episode.outcomes), dict(episode.context)
    added: dict[str, float] = {}
    torn = 0
    for line in lines:
        try:
            told = json.loads(line)
            increments = checked_increments(told.get("metrics", {}))
            if told["kind"] == "action":
                actions.append(_entry(told))
            elif told["kind"] == "outcome":
                outcomes.append(_entry(told))
            elif told["kind"] == "context":
                context |= told["data"]
            for name, value in increments.items():
                added[name] = added.get(name, 0) + value
        except Exception:  # noqa: BLE001  # whatever is wrong with a line, the others count
            torn += 1
    metadata = {**episode.metadata, "torn_entries": episode.metadata.get("torn_entries", 0) + torn}
    return episode.model_copy(
        update={
            "actions": actions,
            "outcomes": outcomes,
            "context": context,
            "metrics": episode.metrics.plus(**added) if added else episode.metrics,
            "metadata": metadata if torn else episode.metadata,
        }
    )


def _entry(told: Mapping[str, Any]) -> Entry:
    entry = {"type": told["type"], "at": told["at"], "data": told["data"]}
    return {**entry, "seq": told["seq"]} if "seq" in told else entry


def _fewer(value: Any) -> Any:
    """With at most MAX_ITEMS in each collection and MAX_READ characters in each text."""
    if isinstance(value, str):
        return value[:MAX_READ]
    if isinstance(value, dict):
        told = {key[:MAX_TEXT]: _fewer(one) for key, one in list(value.items())[:MAX_ITEMS]}
        return told | ({"(cut)": len(value) - MAX_ITEMS} if len(value) > MAX_ITEMS else {})
    if isinstance(value, list):
        items = [_fewer(one) for one in value[:MAX_ITEMS]]
        return items + ([f"(cut: {len(value) - MAX_ITEMS} more)"] if len(value) > MAX_ITEMS else [])
    return value


def _briefer(value: Any) -> Any:
    """With at most MAX_TEXT characters in each text, and a mark where there were more."""
    if isinstance(value, str):
        return value if len(value) <= MAX_TEXT else f"{value[:MAX_TEXT]} (cut)"
    if isinstance(value, dict):
        return {key: _briefer(one) for key, one in value.items()}
    return [_briefer(one) for one in value] if isinstance(value, list) else value


def _bytes(value: Any) -> bytes:
    # halves of characters, which JSON can write and UTF-8 cannot, become `\udc80`
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
