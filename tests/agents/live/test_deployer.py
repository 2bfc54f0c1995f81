"""The deployer: live and watched, kept or taken back; what a kill leaves is finished, or tried anew."""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.executors.deployer import deployer
from agents.live.analysis import Analysis
from agents.live.work import LiveWork
from agents.roles import Kit
from core.deployment import DeploymentState, HealthCheck, LiveTarget, ReloadByCommand
from core.drafts import CheckSettings
from core.events import AnyEvent, ImprovementDeployed, ImprovementRolledBack
from core.improvement import ImprovementSettings
from core.live_plan import LivePlan
from core.policy import Decision
from core.records import Outcome, Proposal
from core.watch import ServiceReading, WatchRules
from memory.ledger import Ledger
from runtime.deployment import LiveService
from service.live_lines import live_line

SHARE = 0.2


class Told:
    """A service whose windows are made by a function of what is live, or of the release that is asked for."""

    told_since, told_until = 0.0, float("inf")
    tells_revisions = True

    def __init__(self, p95: Callable[[float, str], float]) -> None:
        self._p95, self._rng = p95, np.random.default_rng(0)

    def settled(self, at: float, revision: str) -> None:
        pass

    async def trouble(self) -> tuple[str, str]:
        return "it tells nothing", "ask it"

    async def analyse(self, window_hours: float) -> Analysis:
        return Analysis(begin=0, end=window_hours * 3600)

    def reading(self, since: float, until: float, revision: str = "") -> ServiceReading | None:
        p95 = self._p95(since, revision) * float(self._rng.lognormal(0, 0.1))
        asked = round(50 * SHARE) if revision else 50
        return ServiceReading(
            at=until, seconds=until - since, requests=asked, errors=0, p50_ms=p95 / 2, p95_ms=p95, p99_ms=p95
        )


class KilledError(BaseException):
    """As if the process ended here."""


Stage = Callable[[DeploymentState], None]


class House:
    """One service, its ledger, and a deployer that may be ended at a stage."""

    def __init__(self, folder: Path, ledger: Ledger, share: float = 0.0) -> None:
        code = folder / "code"
        code.mkdir()
        (code / "a.py").write_text("SPEED = 1\n")
        self.ledger, self.folder, self.events = ledger, folder, list[AnyEvent]()
        self.allowed = True
        target = LiveTarget(
            service="shop",
            folder=folder / "live",
            allowed=("*.py",),
            health=HealthCheck(command=("true",)),
            reload=ReloadByCommand(command=("test", "!", "-e", str(folder / "away"))),
            canary_share=share,
        )
        self.target = target
        LiveService(target).releases.adopt(code)

    def live(self, until: Stage = lambda _: None) -> LiveWork:
        service = LiveService(self.target, record=until)
        service.recover()
        plan = LivePlan.model_validate(
            {"files": ["*.py"], "start": ["x"], "telemetry": [{"jsonl": "t"}], "tests": ["t"]}
        )

        def p95(since: float, revision: str) -> float:
            if not revision and since < (self.folder / "live" / "current").lstat().st_mtime:
                return 40.0
            text = self.text(f"releases/{revision}/tree" if revision else "current")
            return 400.0 if "SPEED = 0" in text else 20.0 if "SPEED = 2" in text else 40.0

        def leave(action: Any, facts: Any, yes: str) -> Decision:
            answer = "allowed" if self.allowed else "denied"
            return Decision(
                action=action, answer=answer, risk=0.1, parts={}, rule="test", reason="as the test wants it"
            )

        return LiveWork(
            plan=plan,
            settings=ImprovementSettings(),
            view=Told(p95),
            service=service,
            rules=WatchRules(duration_s=0.3, interval_s=0.02, least_history=10, level=0.95),
            checks=CheckSettings(),
            leave=leave,
            approved_by=lambda proposal: "",
            settled_at=time.time() - 60,
        )

    def text(self, release: str = "current") -> str:
        return (self.folder / "live" / release / "a.py").read_text()

    def proposal(self, speed: int) -> Proposal:
        files = {"a.py": f"SPEED = {speed}\n"}
        return Proposal.make(
            campaign_id="shop-1",
            cycle=1,
            proposer="improver",
            kind="code",
            files=files,
            rationale="faster",
            opportunity="o-1",
            made_from=self.live().hashes(["a.py"]),
        )

    def carry_out(self, proposal: Proposal, until: Stage = lambda _: None) -> Outcome:
        kit = Kit(
            rng=np.random.default_rng(0),
            emit=self.events.append,
            effects=self.ledger.effects,
            live=self.live(until),
            campaign_id="shop-1",
        )
        return asyncio.run(deployer()(proposal, kit))

    def types(self) -> list[str]:
        return [event.type for event in self.events]


@pytest.fixture
def house(tmp_path: Path) -> Any:
    with Ledger(tmp_path / "ledger.db") as ledger:
        yield House(tmp_path, ledger)


@pytest.fixture
def by_share(tmp_path: Path) -> Any:
    with Ledger(tmp_path / "ledger.db") as ledger:
        yield House(tmp_path, ledger, share=SHARE)


def test_what_is_faster_stays_and_is_done_once(house: House) -> None:
    proposal = house.proposal(2)
    outcome = house.carry_out(proposal)
    assert (outcome.status, house.text()) == ("ok", "SPEED = 2\n")
    assert outcome.metrics["latency_reduction_percent"] == pytest.approx(50, abs=15)
    assert house.types() == ["ImprovementDeployed", "ImprovementAssessed"]
    assert house.carry_out(proposal) == outcome
    assert house.types() == ["ImprovementDeployed", "ImprovementAssessed"]


def test_what_is_slower_is_taken_back_and_told(house: House) -> None:
    outcome = house.carry_out(house.proposal(0))
    assert (outcome.status, outcome.cause, house.text()) == ("failed", "rolled_back", "SPEED = 1\n")
    assert house.types() == ["ImprovementDeployed", "DegradationSeen", "ImprovementRolledBack", "ImprovementAssessed"]
    assert outcome.metrics["rollback_seconds"] >= 0


def test_of_a_service_that_is_away_nobody_says_that_it_serves_the_version_before(house: House) -> None:
    def goes_away(state: DeploymentState) -> None:
        if state.stage == "rolling_back":
            (house.folder / "away").touch()

    outcome = house.carry_out(house.proposal(0), goes_away)
    assert (outcome.cause, house.text()) == ("rolled_back", "SPEED = 1\n")
    assert "rollback_seconds" not in outcome.metrics
    (told,) = [event for event in house.events if isinstance(event, ImprovementRolledBack)]
    assert told.seconds is None
    line = live_line(told)
    assert line is not None
    assert "nobody has seen it serve" in line[1]


def test_without_leave_and_on_other_code_nothing_goes_live(house: House) -> None:
    house.allowed = False
    assert house.carry_out(house.proposal(2)).cause == "refused"
    house.allowed = True
    stale = house.proposal(3).model_copy(update={"made_from": {"a.py": "of another time"}})
    assert house.carry_out(stale).cause == "failed"
    assert house.text() == "SPEED = 1\n"


def test_a_canary_that_is_slower_is_found_among_the_few_requests_that_it_answers(by_share: House) -> None:
    outcome = by_share.carry_out(by_share.proposal(0))
    assert (outcome.cause, by_share.text()) == ("rolled_back", "SPEED = 1\n")
    assert [event.share for event in by_share.events if isinstance(event, ImprovementDeployed)] == [SHARE]
    (state,) = by_share.live().service.states()
    assert state.share == SHARE
    assert state.reason.startswith("degraded: latency")


def test_a_canary_that_stood_its_watch_goes_to_all_and_is_measured_as_that(by_share: House) -> None:
    outcome = by_share.carry_out(by_share.proposal(2))
    assert (outcome.status, by_share.text()) == ("ok", "SPEED = 2\n")
    (state,) = by_share.live().service.states()
    assert (state.stage, state.share) == ("kept", 1.0)
    told = outcome.details["assessment"]
    low, high = told["latency_reduction_low_percent"], told["latency_reduction_high_percent"]
    assert low <= told["latency_reduction_percent"] <= high
    assert low > 20


def test_a_kill_once_a_canary_went_to_all_goes_on_with_its_second_watch(by_share: House) -> None:
    proposal = by_share.proposal(2)

    def killed(state: DeploymentState) -> None:
        if state.stage == "watching" and state.share == 1.0:
            raise KilledError

    with pytest.raises(KilledError):
        by_share.carry_out(proposal, killed)
    outcome = by_share.carry_out(proposal)
    assert (outcome.status, by_share.text()) == ("ok", "SPEED = 2\n")


STAGES: Sequence[str] = ("planned", "stored", "switched", "reloaded", "watching", "kept")


@pytest.mark.parametrize("stage", STAGES)
def test_a_kill_at_any_stage_ends_as_it_would_have_ended(house: House, stage: str) -> None:
    proposal = house.proposal(2)

    def killed(state: DeploymentState) -> None:
        if state.stage == stage:
            raise KilledError

    with pytest.raises(KilledError):
        house.carry_out(proposal, killed)
    assert house.text() in ("SPEED = 1\n", "SPEED = 2\n")
    outcome = house.carry_out(proposal)
    assert (outcome.status, house.text()) == ("ok", "SPEED = 2\n")


@pytest.mark.parametrize("stage", ["rolling_back", "restored", "rolled_back"])
def test_a_kill_while_it_is_taken_back_ends_with_the_version_before(house: House, stage: str) -> None:
    proposal = house.proposal(0)

    def killed(state: DeploymentState) -> None:
        if state.stage == stage:
            raise KilledError

    with pytest.raises(KilledError):
        house.carry_out(proposal, killed)
    outcome = house.carry_out(proposal)
    assert (outcome.status, outcome.cause, house.text()) == ("failed", "rolled_back", "SPEED = 1\n")
