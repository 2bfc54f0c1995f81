"""A running service, its requests, and the change that is put live in it."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import runtime.deployment.reloader as reloader_module
from core.deployment import HealthCheck, LiveTarget
from core.policy import Action, Decision

FIRST = """
from inner import numbers

NUMBER = {number}
SICK = {sick}


def second():
    import inner.numbers as late
    return late.NUMBER if late is numbers else "mixed"
"""

YES = Decision(action=Action.DEPLOY, answer="allowed", risk=0.1, parts={}, rule="test", reason="it may")


def release(number: int, *, sick: bool = False) -> dict[str, str]:
    return {"first.py": FIRST.format(number=number, sick=sick), "inner/numbers.py": f"NUMBER = {number}\n"}


def write_code(folder: Path) -> Path:
    for path, text in {**release(1), "inner/__init__.py": "", "README.md": "not to be changed\n"}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


class Service:
    """The process, and what it answers."""

    def __init__(self, folder: Path, place: Path) -> None:
        place.mkdir()
        shutil.copy(Path(__file__).with_name("small_service.py"), place)
        shutil.copy(reloader_module.__file__, place / "reloader.py")
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, str(place / "small_service.py"), str(folder)], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def target(self, **fields: object) -> LiveTarget:
        health = HealthCheck(url=f"http://127.0.0.1:{self.port}/health", tries=2, pause_s=0.01)
        given = {"service": "small", "folder": self.folder, "allowed": ("*.py", "inner/**"), "health": health}
        return LiveTarget.model_validate({**given, **fields})

    def ask(self, query: str = "") -> int:
        """The number of the version that answered.  Raises for a failed request, and for a mixed version."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", f"/answer?{query}")
            response = connection.getresponse()
            told = json.loads(response.read())
        finally:
            connection.close()
        assert response.status == 200
        assert told["first"] == told["second"], told
        return int(told["first"])


class Requests:
    """Requests without a pause, until left; what they were answered is counted."""

    def __init__(self, service: Service) -> None:
        self.answers: Counter[int] = Counter()
        self.failures: list[BaseException] = []
        self._service = service
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(query,)) for query in ("slow=0.01", "slow=0.04")]

    def __enter__(self) -> Requests:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self, query: str) -> None:
        while not self._over.is_set():
            try:
                self.answers[self._service.ask(query)] += 1
            except BaseException as error:  # noqa: BLE001  # each is a failed request
                self.failures.append(error)
