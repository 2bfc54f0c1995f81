"""Kill -9 at everything that going live and back does, while requests run: old or new, whole, and finished later.

Always at some of the moments, and at those next to every stage; RATCHET_SLOW=1 at each.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.deployment import LiveTarget
from runtime.deployment import LiveService, Releases
from tests.runtime.deployment.running_service import YES, Requests, Service, release, write_code

ROOT = Path(__file__).parents[3]
STRIDE = 1 if os.environ.get("RATCHET_SLOW") else 5
NEVER = 10**6
MIDDLE = 8
"""Of a rollback, when it is written down and not yet done."""


class Worker:
    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("kill_worker.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    def act(self, target: LiveTarget, left: int, what: str, deployment_id: str = "-") -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(left, what, deployment_id, target.model_dump_json(), file=self._process.stdin, flush=True)
        return self._process.stdout.readline().strip()

    def stop(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._process.wait(timeout=60)


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    running = Worker()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    place = tmp_path_factory.mktemp("killed")
    Releases(place / "live").adopt(write_code(place / "code"))
    running = Service(place / "live", place / "process")
    yield running
    running.stop()


class Scene:
    """What stands before the kill, and what has to stand when the next start is done with it."""

    def __init__(self, service: Service, act: str) -> None:
        self.service, self.act = service, act
        self.target = service.target(canary_share=0.5 if act == "promote" else 0.0)
        self.live = LiveService(self.target)
        self.old = self.live.releases.current()
        self.new = self.live.releases.digest_of(self.old, release(2))

    def begin(self) -> str:
        """The id of the deployment that the act is about."""
        if self.act == "deploy":
            return "-"
        return self.live.deploy(self.live.plan(release(2)), release(2), leave=YES).deployment.id

    def end(self) -> str:
        """The stage that the next start brings it to."""
        assert self.whole() in (self.old, self.new)
        assert self.service.ask() in (1, 2)
        self.live.recover()
        if not (states := self.live.states()):
            assert (self.whole(), self.service.ask()) == (self.old, 1)
            return "nothing"
        (state,) = states
        assert state.stage in ("undone", "rolled_back", "watching", "kept")
        stays = state.stage in ("watching", "kept")
        if state.share == 1.0 or not stays:
            assert self.whole() == (self.new if stays else self.old)
            assert self.service.ask() == (2 if stays else 1)
        return state.stage

    def whole(self) -> str:
        digest = self.live.releases.current()
        self.live.releases.check(digest)
        return digest

    def anew(self) -> None:
        for state in self.live.states():
            self.live.roll_back(state.deployment.id, reason="to begin anew")
        for path in self.target.folder.glob("deployments/d-*.json"):
            path.unlink()
        self.live.releases.prune([], 0)
        assert self.service.ask() == 1


ENDS = {
    "deploy": {"nothing", "undone", "rolled_back", "watching"},
    "roll_back": {"rolled_back", "watching"},
    "promote": {"rolled_back", "watching"},
    "keep": {"kept", "watching"},
    "recover": {"rolled_back"},
}


@pytest.mark.parametrize("act", ENDS)
def test_a_kill_at_any_moment_leaves_one_whole_version(act: str, service: Service, worker: Worker) -> None:
    scene = Scene(service, act)

    def interrupted(left: int) -> str:
        deployment_id = scene.begin()
        if act == "recover":
            assert worker.act(scene.target, MIDDLE, "roll_back", deployment_id) == "killed"
        return worker.act(scene.target, left, act, deployment_id)

    ends = set()
    with Requests(service) as requests:
        for _ in range(2):  # the first takes the reserve besides
            count = int(interrupted(NEVER))
            ends.add(scene.end())
            scene.anew()
        assert count > STRIDE
        for moment in (*range(1, count, STRIDE), count):
            assert interrupted(moment) == "killed"
            ends.add(scene.end())
            scene.anew()
    assert not requests.failures
    assert set(requests.answers) == {1, 2}
    assert ends == ENDS[act]
