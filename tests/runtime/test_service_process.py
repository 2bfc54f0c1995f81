"""A process that outlives us: started, found again by its identity, ended; and waited for until it answers."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from core.errors import UnavailableError
from runtime.services import ServiceProcess, free_port, wait_healthy

SERVER = """
import http.server, sys
http.server.test(http.server.SimpleHTTPRequestHandler, port=int(sys.argv[1]), bind="127.0.0.1")
"""


def test_it_is_found_again_and_ended_with_its_children(tmp_path: Path) -> None:
    async def story() -> None:
        first, port = ServiceProcess(tmp_path, "web"), free_port()
        assert not first.alive
        command = [sys.executable, "-c", SERVER, str(port)]
        first.start(command, tmp_path, os.environ, {"port": port})
        await wait_healthy(f"http://127.0.0.1:{port}/", 30, first)
        again = ServiceProcess(tmp_path, "web")
        assert again.alive
        assert again.facts == {"port": port}
        said = await again.stop()
        assert not first.alive
        assert "GET /" in said
        assert not ServiceProcess(tmp_path, "web").alive

    asyncio.run(story())


def test_what_ends_at_once_or_cannot_start_is_said(tmp_path: Path) -> None:
    process = ServiceProcess(tmp_path, "web")
    process.start([sys.executable, "-c", "print('no database'); raise SystemExit(1)"], tmp_path, os.environ, {})
    with pytest.raises(UnavailableError, match="ended as it was started") as told:
        asyncio.run(wait_healthy(f"http://127.0.0.1:{free_port()}/", 30, process))
    assert "no database" in told.value.hint
    with pytest.raises(UnavailableError, match="cannot start"):
        process.start([str(tmp_path / "nothing")], tmp_path, os.environ, {})


def test_who_does_not_answer_in_time_is_not_well() -> None:
    with pytest.raises(UnavailableError, match="not well"):
        asyncio.run(wait_healthy(f"http://127.0.0.1:{free_port()}/", 0.2))
