from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command_line import Answer, Cli, Finished, Running, call_process, write_campaign

from service.cli import main


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    """Starts processes; none is left when the test ends."""
    started: list[Running] = []

    def start_(*words: object, home: Path) -> Running:
        started.append(Running(*words, home=home))
        return started[-1]

    yield start_
    for running in started:
        running.close()


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """Calls the command line in this process, in an empty folder."""
    for name in ("NO_COLOR", "CI", "TERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RATCHET_EMBEDDING_MODEL", "hash")
    monkeypatch.chdir(tmp_path)

    def call(*words: object, home: Path | None = None) -> Answer:
        capsys.readouterr()
        code = main([*map(str, words), *(["--home", str(home)] if home else [])])
        read = capsys.readouterr()
        return Answer(code, read.out, read.err)

    return call


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    base = tmp_path_factory.mktemp("finished")
    folder = write_campaign(base / "tiny")
    return Finished(base / "home", folder, call_process("run", folder, "--json", home=base / "home"))


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """The folder of a tiny campaign."""
    return write_campaign(tmp_path / "tiny")
