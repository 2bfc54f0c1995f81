"""Listening to a service that tells nothing of use: it is said why."""

import asyncio
import json
import time
from pathlib import Path

import pytest

from agents.live.listening import Listening
from core.campaign import Campaign
from core.improvement import ImprovementSettings

LIVE = {"files": ["a.py"], "start": ["x"], "telemetry": [{"jsonl": "told.jsonl"}], "tests": ["pytest"]}
REQUEST = {"kind": "completion", "component": "shop", "function": "GET /", "operation": "request", "duration_s": 0.1}


async def trouble(folder: Path) -> tuple[str, str]:
    campaign = Campaign.model_validate({"name": "shop", "kind": "live", "live": LIVE})
    listening = Listening(folder / "telemetry", ImprovementSettings(), campaign, {"here": str(folder)})
    await listening.start()
    try:
        await listening.analyse(1.0)
        return await listening.trouble()
    finally:
        await listening.close()


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([{**REQUEST, "at": 1000 * time.time()}] * 3, "set aside: 3 of a time in the future"),
        ([{**REQUEST, "at": "noon"}, {"kind": "rumour"}], "set aside: 2 unreadable"),
        ([], "the service tells nothing"),
        (None, "told.jsonl is missing"),
    ],
    ids=["milliseconds", "unreadable", "empty", "missing"],
)
def test_it_is_said_why_nothing_was_taken(tmp_path: Path, lines: list[dict[str, object]] | None, why: str) -> None:
    if lines is not None:
        (tmp_path / "told.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert why in asyncio.run(trouble(tmp_path))[0]
