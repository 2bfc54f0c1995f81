"""A disk that fills while a campaign runs: one clear error, nothing acknowledged is lost, and it goes on."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tiny_campaign import events, run, runs, start, write_campaign

from core.events import AnyEvent, parse_event
from memory.ledger import Ledger

SLOW = ["BaselineMeasured", "CycleFinished"] if os.environ.get("RATCHET_SLOW") else []


@pytest.mark.parametrize("disk", [8], indirect=True)
@pytest.mark.parametrize("moment", ["ProposalMade", "JobStarted", *SLOW])
def test_a_campaign_survives_a_full_disk(disk: Any, tmp_path: Path, moment: str) -> None:
    home = disk.path / "home"
    process = start("run", str(write_campaign(tmp_path)), "--home", str(home))
    told: list[dict[str, Any]] = []
    for event in events(process):
        told.append(event)
        if event["type"] == moment and not (disk.path / "ballast").exists():
            disk.fill()
    code = process.wait()
    stderr = process.stderr.read()
    process.stderr.close()
    process.stdout.close()
    assert code == 4, (told[-1], stderr)
    assert "full" in told[-1]["error"]["what"] or "No space" in told[-1]["error"]["what"], told[-1]
    assert "space" in told[-1]["error"]["try"]
    acknowledged = [_event(line) for line in told if line.get("seq")]

    disk.empty()

    with Ledger(home / "ledger.db", check=True) as ledger:
        kept = {(e.type, e.key) for e in ledger.events("tiny-1")}
    assert {(e.type, e.key) for e in acknowledged} <= kept
    code, told, stderr = run("resume", "--home", str(home))
    assert code == 0, (told[-1], stderr)
    assert max(runs(tmp_path).values()) <= 2  # what was running when the disk was full was ended, and runs again


def _event(line: dict[str, Any]) -> AnyEvent:
    return parse_event(json.dumps(line))
