"""A line of a log group: JSON as many services write it, or plain text with a level in it."""

from __future__ import annotations

import json
import re
from typing import Any, Literal

from core.telemetry import LogLine

__all__ = ["log_line"]

Level = Literal["debug", "info", "warning", "error", "critical"]
LEVELS: dict[str, Level] = {
    "trace": "debug", "debug": "debug", "info": "info", "notice": "info", "warn": "warning", "warning": "warning",
    "error": "error", "err": "error", "fatal": "critical", "critical": "critical", "emergency": "critical",
}  # fmt: skip
WORD = re.compile(r"\b(DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|FATAL|CRITICAL)\b")
RAISED = re.compile(r"^([A-Za-z_][\w.]*(?:Error|Exception|Timeout|Refused|Interrupt))(?:: ?(.*))?$", re.MULTILINE)
MAX_CHARS = 20_000


def log_line(text: str, at: float, component: str) -> LogLine:
    """`text` read as JSON (level, message, component, error_type, stack, trace_id) or as a plain line.

    A Python traceback tells the type of the error, and its last line the message.
    """
    text = text[:MAX_CHARS].rstrip()
    told = _json(text)
    if told is not None:
        message = str(told.get("message", told.get("msg", "")))
        stack = str(told.get("stack") or told.get("stack_trace") or told.get("exc_info") or "")
        return LogLine(
            at=at,
            level=LEVELS.get(str(told.get("level", told.get("severity", "info"))).lower(), "info"),
            component=str(told.get("component") or told.get("service") or component)[:200],
            message=message or text[:400],
            stack=stack,
            error_type=str(told.get("error_type") or told.get("exception") or _raised(stack)[0])[:200],
            trace_id=str(told.get("trace_id", "")),
        )
    word = WORD.search(text[:200])
    kind, message = _raised(text) if "Traceback (most recent call last)" in text else ("", "")
    level: Level = LEVELS[word[1].lower()] if word else "error" if kind else "info"
    first = text.split("\n", 1)[0]
    return LogLine(
        at=at,
        level=level,
        component=component,
        message=message or first,
        stack=text if kind else "",
        error_type=kind[:200],
    )


def _json(text: str) -> dict[str, Any] | None:
    if not text.startswith("{"):
        return None
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _raised(stack: str) -> tuple[str, str]:
    """The type and message of the error that a traceback ends with."""
    found = RAISED.findall(stack)
    return found[-1] if found else ("", "")
