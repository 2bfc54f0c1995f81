"""The watch: windows, gaps, its end, and what is done then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from core.deployment import HealthReading, LiveTarget
from core.errors import DeploymentError, UnavailableError
from core.watch import ServiceReading, WatchAnswer, WatchRules, WatchVerdict
from runtime.deployment import LiveService, Releases, watch
from tests.runtime.deployment.running_service import YES, release, write_code

RULES = WatchRules(duration_s=300, interval_s=60)


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


class Scene:
    def __init__(self, place: Path) -> None:
        Releases(place / "live").adopt(write_code(place / "code"))
        self.target = LiveTarget.model_validate({
            "service": "watched",
            "folder": place / "live",
            "allowed": ("**",),
            "reload": {"kind": "command", "command": ["true"]},
            "health": {"command": ["true"]},
        })  # fmt: skip
        self.time = Time()
        self.live = LiveService(self.target, clock=self.time)
        self.first = self.live.releases.current()
        plan = self.live.plan(release(2))
        self.id = self.live.deploy(plan, release(2), leave=YES).deployment.id
        self.asked: list[tuple[float, float]] = []
        self.looks: list[list[bool]] = []
        self.checks: list[int] = []

    def read(self, since: float, until: float) -> ServiceReading | None:
        self.asked.append((since, until))
        if len(self.asked) == 2:
            raise UnavailableError("the source is away")
        return ServiceReading(at=until, requests=None if len(self.asked) == 3 else 100, errors=0, p95_ms=None)

    def judge(self, answer: WatchAnswer, after: int) -> Callable[..., WatchVerdict]:
        def judged(
            readings: Sequence[ServiceReading | None], health: Sequence[HealthReading], now: float
        ) -> WatchVerdict:
            self.looks.append([reading is not None for reading in readings])
            self.checks.append(len(health))
            given: WatchAnswer = answer if len(readings) >= after else "continue"
            return WatchVerdict(answer=given, reason="by order", at=now, windows=len(readings))

        return judged

    def run(self, answer: WatchAnswer, after: int = 5, rules: WatchRules = RULES) -> str:
        state = asyncio.run(
            watch(
                self.live, self.id, read=self.read, judge=self.judge(answer, after), rules=rules,
                clock=self.time, sleep=self.time.sleep,
            )
        )  # fmt: skip
        assert state.verdict is not None
        assert state.verdict.answer == answer
        return state.stage


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


@pytest.mark.parametrize(
    ("answer", "stage"),
    [("healthy", "kept"), ("degraded", "rolled_back"), ("cannot tell", "kept"), ("unknown", "rolled_back")],
)
def test_what_the_judge_says_is_done(scene: Scene, answer: WatchAnswer, stage: str) -> None:
    assert scene.run(answer) == stage
    assert (scene.live.releases.current() == scene.first) == (stage == "rolled_back")
    start = 1_000_000.0
    assert scene.asked == [(start + 60 * n, start + 60 * (n + 1)) for n in range(5)]
    assert scene.looks[-1] == [True, False, False, True, True]  # away, and nothing seen: gaps, both
    assert scene.checks == [1, 2, 3, 4, 5]
    assert "by order" in scene.live.state(scene.id).reason


def test_the_rules_say_what_is_done_when_nothing_is_clear(scene: Scene) -> None:
    rules = RULES.model_copy(update={"if_undecided": "rollback"})
    assert scene.run("cannot tell", rules=rules) == "rolled_back"


def test_a_watch_goes_on_where_it_was_and_reads_what_it_missed(scene: Scene) -> None:
    async def cut_short() -> None:
        task = asyncio.create_task(
            watch(
                scene.live, scene.id, read=scene.read, judge=scene.judge("healthy", 5), rules=RULES,
                clock=scene.time, sleep=stop_at_third,
            )
        )  # fmt: skip
        with pytest.raises(asyncio.CancelledError):
            await task

    async def stop_at_third(seconds: float) -> None:
        await scene.time.sleep(seconds)
        if len(scene.asked) == 2:
            raise asyncio.CancelledError

    asyncio.run(cut_short())
    assert [state.stage for state in scene.live.recover()] == ["watching"]
    assert scene.live.state(scene.id).verdict is not None
    scene.time.now += 200  # nobody watched meanwhile
    scene.asked.clear()
    assert scene.run("healthy") == "kept"
    assert scene.asked[0][0] == 1_000_000.0
    assert scene.checks[-1] < 5  # nobody asked for the health then, and nothing is made up


def test_what_is_not_watched_cannot_be_kept(scene: Scene) -> None:
    scene.live.roll_back(scene.id, reason="worse")
    with pytest.raises(DeploymentError, match="not watched"):
        scene.run("healthy")
