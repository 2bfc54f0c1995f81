"""The council of a live service: what is voted on, what may go live, what is learned, what the watch sees."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.historians.assessor import assessor
from agents.live.analysis import Analysis
from agents.live.requests_seen import RequestsSeen
from agents.live.work import LiveWork
from agents.model_seats import with_model_seats
from agents.proposers.improver import improver
from agents.proposers.planted import PLANTED, planted
from agents.roles import Case, Kit
from agents.supervisors.gatekeeper import gatekeeper
from agents.voters.improvement import content_of, impact, improvement_record, validation
from core.campaign import Campaign
from core.deployment import HealthCheck, LiveTarget
from core.drafts import CheckFault, CheckResult, CheckSettings, Validation
from core.events import AnyEvent, ImprovementNotDrafted, ImprovementValidated
from core.improvement import ImpactAssessment, ImprovementOpportunity, ImprovementSettings
from core.policy import Action, Decision
from core.records import Direction, Experiment, Outcome, Proposal, Tally
from core.telemetry import Completion, TelemetryGap
from core.watch import ServiceReading, WatchRules
from runtime.deployment import LiveService
from search.space import Space

SLOW = '''"""Counting."""


def repeated(words: list[str]) -> int:
    """How many words stand there more than once."""
    count = 0
    for word in words:
        if words.count(word) > 1:
            count += 1
    return count
'''


class Nothing:
    """A service that tells nothing."""

    told_since = told_until = 0.0
    tells_revisions = False

    def settled(self, at: float, revision: str) -> None:
        pass

    async def trouble(self) -> tuple[str, str]:
        return "it tells nothing", "ask it"

    async def analyse(self, window_hours: float) -> Analysis:
        return Analysis(begin=0, end=window_hours * 3600)

    def reading(self, since: float, until: float, revision: str = "") -> ServiceReading | None:
        return None


def opportunity(**more: Any) -> ImprovementOpportunity:
    told = {
        "kind": "slow_function",
        "component": "shop",
        "file": "shop/words.py",
        "function": "repeated",
        "severity": "high",
        "confidence": 0.9,
        "performance_gain_percent": 40.0,
        "affected_users_per_hour": 1000.0,
        "frequency_per_day": 24.0,
        "requirement": "Make it faster.",
        "impact": 14400.0,
        "priority": "critical",
    }
    return ImprovementOpportunity.make(**{**told, **more})


@pytest.fixture
def live(tmp_path: Path) -> LiveWork:
    code = tmp_path / "code"
    (code / "shop").mkdir(parents=True)
    (code / "shop" / "__init__.py").write_text("")
    (code / "shop" / "words.py").write_text(SLOW)
    target = LiveTarget(
        service="shop", folder=tmp_path / "live", allowed=("shop/*.py",), health=HealthCheck(command=("true",))
    )
    service = LiveService(target)
    service.releases.adopt(code)
    plan = campaign(tmp_path).live
    assert plan is not None

    def leave(action: Action, facts: Any, yes: str) -> Decision:
        answer = "allowed" if facts["scope"] == "tenant" or yes else "ask"
        return Decision(action=action, answer=answer, risk=0.1, parts={}, rule="test", reason="as the test wants it")

    return LiveWork(
        plan=plan,
        settings=ImprovementSettings(),
        view=Nothing(),
        service=service,
        rules=WatchRules(),
        checks=CheckSettings(),
        leave=leave,
        approved_by=lambda proposal: "",
    )


class Growing(Nothing):
    """A service that tells of another second each time it is looked at."""

    told_since = 1000.0

    @property
    def told_until(self) -> float:  # type: ignore[override]  # the other one stands still
        self.told += 1.0
        return self.told

    told = told_since


def test_of_a_service_that_ran_before_so_much_is_heard_before_it_is_judged(live: LiveWork) -> None:
    live.view = view = Growing()
    asyncio.run(live.listen(3.0))
    assert view.told == 1003.0


def campaign(here: Path, **more: Any) -> Campaign:
    told = {
        "files": ["shop/*.py"],
        "start": ["true"],
        "telemetry": [{"jsonl": "told.jsonl"}],
        "tests": ["{python}", "-m", "pytest"],
    }
    return Campaign(name="shop", kind="live", live=told, here=str(here), **more)


def case_of(here: Path, *found: ImprovementOpportunity, **more: Any) -> Case:
    made = campaign(here, **more)
    direction = Direction(cycle=1, mode="exploit", jobs=2, reason="", focus=tuple(one.id for one in found))
    space = Space.model_validate(made.space)
    return Case("shop-1", made, space, 1, direction=direction, opportunities=found)


def kit_of(live: LiveWork, told: list[AnyEvent], case: Case) -> Kit:
    return Kit(
        rng=np.random.default_rng(0),
        emit=told.append,
        live=live,
        campaign_id="shop-1",
        opportunities=case.opportunities,
        validated=case.validated,
    )


def proposed(live: LiveWork, case: Case, told: list[AnyEvent]) -> list[Proposal]:
    return list(asyncio.run(improver()(case, kit_of(live, told, case))))


def checked(proposal: Proposal, *errors: str, **more: Any) -> ImprovementValidated:
    faults = tuple(CheckFault(check="tests", text=error) for error in errors)
    result = CheckResult(name="tests", status="failed" if faults else "passed", faults=faults)
    told = {"quality": 0.95, "risk": 0.05, **more}
    return ImprovementValidated(
        campaign_id="shop-1",
        cycle=1,
        proposal_id=proposal.id,
        content=content_of(proposal),
        validation=Validation(draft_id="d", checks=(result,)),
        **told,
    )


def ruled(live: LiveWork, case: Case, proposal: Proposal, score: float = 0.5) -> Any:
    tally = Tally(proposal_id=proposal.id, score=score, weights={})
    case = replace(case, proposals=(proposal,), tallies=(tally,))
    return asyncio.run(gatekeeper()(proposal, case, kit_of(live, [], case)))


def test_a_draft_by_rules_becomes_a_proposal_and_what_has_no_rule_is_told(tmp_path: Path, live: LiveWork) -> None:
    other = opportunity(kind="timeout", file="shop/net.py", function="ask")
    told: list[AnyEvent] = []
    (made,) = proposed(live, case_of(tmp_path, other, opportunity()), told)
    assert made.opportunity == opportunity().id
    assert "Counter(words)" in made.files["shop/words.py"]
    assert made.made_from == live.hashes(["shop/words.py"])
    (none,) = told
    assert isinstance(none, ImprovementNotDrafted)
    assert none.opportunity_id == other.id
    assert "needs a model" in none.reason


def test_one_file_is_changed_once_a_cycle_and_what_came_back_is_not_tried_again(tmp_path: Path, live: LiveWork) -> None:
    both = case_of(tmp_path, opportunity(), opportunity(kind="trend", subject="latency"))
    assert len(proposed(live, both, [])) == 1
    (made,) = proposed(live, case_of(tmp_path, opportunity()), [])
    back = ImpactAssessment(opportunity_id=made.opportunity, proposal_id=made.id, status="rolled_back")
    again = replace(case_of(tmp_path, opportunity()), improvements=((made, back),))
    assert proposed(live, again, []) == []
    vote = asyncio.run(improvement_record()(made, again, kit_of(live, [], again)))
    assert (vote.score, vote.confidence) == (-1, 1)


def test_what_fails_a_check_or_a_threshold_is_vetoed_with_every_error(tmp_path: Path, live: LiveWork) -> None:
    case = case_of(tmp_path, opportunity())
    (made,) = proposed(live, case, [])

    def vote(told: ImprovementValidated) -> Any:
        seen = replace(case, validated={made.id: told})
        return asyncio.run(validation()(made, seen, kit_of(live, [], seen)))

    assert 0 < vote(checked(made)).score <= 1
    broken = vote(checked(made, "a is wrong", "b too"))
    assert broken.score == -1
    assert "a is wrong" in broken.reason
    assert "b too" in broken.reason
    assert vote(checked(made, quality=0.84)).score == -1
    assert vote(checked(made, risk=0.11)).score == -1
    live.settings = ImprovementSettings.load("aggressive", environment={})
    assert vote(checked(made, quality=0.84, risk=0.11)).score > 0


def test_impact_is_voted_on_by_priority(tmp_path: Path, live: LiveWork) -> None:
    scores = []
    for priority in ("critical", "high", "medium", "low"):
        case = case_of(tmp_path, opportunity(priority=priority))
        (made,) = proposed(live, case, [])
        scores.append(asyncio.run(impact()(made, case, kit_of(live, [], case))).score)
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == 1


def test_the_gates_of_what_goes_live(tmp_path: Path, live: LiveWork) -> None:
    case = case_of(tmp_path, opportunity())
    (made,) = proposed(live, case, [])
    good = replace(case, validated={made.id: checked(made)})
    assert ruled(live, good, made).decision == "accept"
    assert ruled(live, case, made).rule == "unchecked"
    assert ruled(live, replace(case, validated={made.id: checked(made, "wrong")}), made).rule == "checks"
    assert ruled(live, good, made, score=-0.5).rule == "tally"
    other = made.model_copy(update={"files": {**made.files, "shop/words.py": "x = 1\n"}})
    assert ruled(live, replace(case, validated={made.id: checked(made)}), other).rule == "unchecked"
    outside = made.model_copy(update={"files": {"tests/test_a.py": ""}})
    assert ruled(live, good, outside).rule == "paths"
    live.service.releases.switch(
        live.service.releases.store(live.service.releases.current(), {"shop/words.py": "x = 1\n"})
    )
    assert ruled(live, good, made).rule == "stale"


def test_what_touches_all_tenants_waits_for_a_person(tmp_path: Path, live: LiveWork) -> None:
    case = case_of(tmp_path, opportunity(system_wide=True))
    (made,) = proposed(live, case, [])
    case = replace(case, validated={made.id: checked(made)})
    assert ruled(live, case, made).decision == "ask"
    live.approved_by = lambda proposal: "a-yes" if proposal.id == made.id else ""
    assert ruled(live, case, made).decision == "accept"


def test_what_is_planted_says_so_and_keeps_the_cycle_to_itself(tmp_path: Path, live: LiveWork) -> None:
    folder = tmp_path / "bad" / "shop"
    folder.mkdir(parents=True)
    (folder / "words.py").write_text(SLOW + "\n# slower\n")
    council = {"proposers": ["improver", {"use": "planted", "folder": "bad"}]}
    case = case_of(tmp_path, opportunity(), council=council, budget={"cycles": 2})
    assert list(asyncio.run(planted("bad")(case, kit_of(live, [], case)))) == []
    assert len(proposed(live, case, [])) == 1
    last = replace(case, cycle=2)
    (made,) = asyncio.run(planted("bad")(last, kit_of(live, [], last)))
    assert (made.opportunity, made.source) == (PLANTED, "human")
    assert "PLANTED" in made.rationale
    assert proposed(live, last, []) == []


def test_lessons_count_what_stayed_and_take_older_ones_back(tmp_path: Path, live: LiveWork) -> None:
    case = case_of(tmp_path, opportunity())
    (made,) = proposed(live, case, [])

    def ended(status: str, percent: float | None = None, **proposal: Any) -> Experiment:
        told = ImpactAssessment.model_validate(
            {
                "opportunity_id": made.opportunity,
                "status": status,
                "latency_reduction_percent": percent,
                "reason": "slower",
            }
        )
        outcome = Outcome(
            job_id="i", proposal_id=made.id, status="ok", config={}, seed=0, details={"assessment": told.model_dump()}
        )
        return Experiment(proposal=made.model_copy(update=proposal), outcome=outcome, score=percent)

    def learn(at: Case, *experiments: Experiment) -> list[Any]:
        return list(asyncio.run(assessor()(experiments, at, kit_of(live, [], at))))

    (first,) = learn(case, ended("completed", 40.0))
    assert "1 of 1 stayed live; p95 latency fell by 40 %" in first.text
    past = (made, ImpactAssessment(opportunity_id=made.opportunity, status="completed", latency_reduction_percent=40.0))
    later = replace(case, cycle=2, lessons=(first,), improvements=(past,))
    withdrawn, pattern, constraint = learn(later, ended("rolled_back"))
    assert withdrawn.withdraws == first.id
    assert "1 of 2 stayed live" in pattern.text
    assert constraint.kind == "constraint"
    assert learn(case, ended("rolled_back", opportunity=PLANTED)) == []


def test_windows_of_requests_whatever_their_order() -> None:
    seen = RequestsSeen()

    def request(at: float, seconds: float, ok: bool = True) -> Completion:
        return Completion(at=at, component="shop", function="GET /", operation="request", duration_s=seconds, ok=ok)

    assert seen.reading(0, 1) is None
    seen.take([request(1.5, 0.2), request(0.5, 0.1), request(0.7, 0.3, ok=False), request(2.5, 9)], now=10.0)
    seen.take([Completion(at=0.6, component="shop", function="f", duration_s=5)], now=10.0)
    told = seen.reading(0, 2)
    assert told is not None
    assert (told.requests, told.errors, told.p50_ms) == (3, 1, pytest.approx(200))
    assert seen.reading(2, 3) is not None
    assert seen.reading(3, 4) is None
    assert seen.reading(-2, 0) is None  # before anything was told


def test_silence_a_gap_and_a_time_that_cannot_be_are_no_window_without_requests() -> None:
    seen = RequestsSeen()

    def request(at: float, revision: str = "") -> Completion:
        told = {"at": at, "component": "shop", "function": "GET /", "operation": "request", "duration_s": at / 10}
        return Completion.model_validate({**told, "revision": revision})

    seen.take(
        [request(1.0), request(1.7e12), request(2.0).model_copy(update={"at": float("nan")})], now=2.0
    )  # one in milliseconds
    assert seen.reading(2, 3) is None
    seen.take([TelemetryGap(source="file", begin=2.2, end=3.4, reason="missing"), request(5.5)], now=6.0)
    assert seen.reading(2, 3) is None
    quiet = seen.reading(4, 5)
    assert quiet is not None
    assert quiet.requests == 0
    assert not seen.tells_revisions
    seen.take([request(7.2, "a" * 12), request(7.4, "b" * 64), request(7.6, "b" * 12)], now=8.0)
    assert seen.tells_revisions
    canary = seen.reading(7, 8, "b" * 64)
    assert canary is not None
    assert (canary.requests, canary.p50_ms) == (2, pytest.approx(750))


def test_a_model_drafts_but_has_no_vote_on_what_goes_live(tmp_path: Path) -> None:
    council = campaign(tmp_path).council
    assert with_model_seats(council, "live") == council
