"""A running service, anew for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.deployment import Releases
from tests.runtime.deployment.running_service import Service, write_code


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    folder = tmp_path / "live"
    Releases(folder).adopt(write_code(tmp_path / "code"))
    running = Service(folder, tmp_path / "process")
    yield running
    running.stop()
