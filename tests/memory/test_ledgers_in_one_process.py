"""Several ledgers of one process on one file: none takes the locks of another away."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from core.events import CampaignStarted
from memory.ledger import Ledger

ROOT = Path(__file__).parents[2]
ANOTHER = """
import sys
sys.path.insert(0, {root!r})
from core.events import CampaignStarted
from memory.ledger import Ledger
with Ledger({path!r}) as ledger:
    ledger.append(CampaignStarted(campaign_id={name!r}, name="x", kind="experiment", seed=0))
    print(",".join(event.campaign_id for event in ledger.events()))
"""


def another_process(path: Path, name: str) -> list[str]:
    """Append in a process of its own, which then leaves; the campaigns that it saw."""
    code = ANOTHER.format(root=str(ROOT), path=str(path), name=name)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    return done.stdout.strip().split(",")


def test_one_that_closes_leaves_the_others_sound(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Ledger(path) as first:
        first.append(CampaignStarted(campaign_id="a", name="x", kind="experiment", seed=0))
        for _ in range(2):
            with Ledger(path) as second:
                second.last_seq()
        assert another_process(path, "b") == ["a", "b"]
        assert [event.campaign_id for event in first.events()] == ["a", "b"]
        first.append(CampaignStarted(campaign_id="c", name="x", kind="experiment", seed=0))
        assert another_process(path, "d") == ["a", "b", "c", "d"]
    assert path.stat().st_mode & 0o777 == 0o600
