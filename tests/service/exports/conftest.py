from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from told_campaign import Told, tell_campaign


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    told = tell_campaign(tmp_path / "home")
    yield told
    told.ledger.close()
