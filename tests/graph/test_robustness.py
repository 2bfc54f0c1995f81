"""No winner inside the noise, a sealed evaluation that nobody sees, and control arms of the same budget."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

from small_campaign import small_campaign

from core.events import BestImproved, JobStarted
from core.records import Baseline, Challenge, Experiment, Outcome, Proposal
from graph.campaign import run_campaign
from graph.confirm import SEED_OFFSET
from graph.summary import summarise
from memory.history import History
from memory.ledger import Ledger, StoredCampaign
from memory.state_folder import StateFolder

NOISE = """
import json, random, sys
config = json.load(open(sys.argv[1]))
print(json.dumps({"score": random.Random(f"{config['seed']} {config['x']:.9f}").gauss(0, 1)}))
"""
SEALED = """
import json, sys
config = json.load(open(sys.argv[1]))
print(json.dumps({"held_out": 100 + config["x"]}))
"""


def ran(root: Path, **changes: Any) -> tuple[Ledger, StoredCampaign, History]:
    folder = StateFolder(root / "state")
    campaign = small_campaign(root, **changes)
    ledger = folder.open_ledger()
    stored = ledger.create_campaign(campaign)
    asyncio.run(run_campaign(folder, ledger, stored))
    return ledger, stored, History.load(ledger, stored.id)


def noise_at(config: dict[str, Any], seeds: tuple[int, ...]) -> tuple[float, ...]:
    """What the script of pure noise prints for a configuration."""
    return tuple(random.Random(f"{seed} {config['x']:.9f}").gauss(0, 1) for seed in seeds)


def test_pure_noise_declares_no_winner_but_records_that_it_cannot_tell(tmp_path: Path) -> None:
    (tmp_path / "noise.py").write_text(NOISE)
    ledger, stored, history = ran(
        tmp_path,
        command=["{python}", "-I", "-S", "{here}/noise.py", "{config}"],
        space={"x": {"type": "float", "low": 0, "high": 1}},
        baseline={"x": 0.5},
        budget={"cycles": 5},
        noise={"repeats": 6, "verdict_pairs": 0, "confirmations": 12, "confirmation_pairs": 2},
    )
    with ledger:
        improved = list(ledger.events(types=(BestImproved,)))
        repeats = [
            e for e in ledger.events(types=(JobStarted,)) if isinstance(e, JobStarted) and e.purpose == "confirmation"
        ]
    challenges = [challenge for _, challenge in history.challenges]
    assert challenges
    assert {c.answer for c in challenges} <= {"cannot tell", "worse", "better"}
    assert len(improved) == sum(c.answer == "better" for c in challenges) <= 1
    assert 0 < len(repeats) <= 12
    assert all(e.seed >= SEED_OFFSET for e in repeats)
    configs = {"baseline": {"x": 0.5}} | {e.proposal.id: e.config for e in history.experiments()}
    for challenge in challenges:
        assert challenge.scores == noise_at(configs[challenge.proposal_id], challenge.seeds)
        assert challenge.incumbent_scores == noise_at(configs[challenge.incumbent], challenge.seeds)
    assert history.runs()[challenges[0].proposal_id][1:3] == challenges[0].scores  # what its standing rests on
    assert summarise(stored, history, status="finished")["challenges"]


def test_a_gain_far_above_the_noise_is_believed_at_once(tmp_path: Path) -> None:
    ledger, _, history = ran(
        tmp_path,
        baseline={"x": 0.79, "y": 0.05, "kind": "b"},
        budget={"cycles": 2},
        noise={"repeats": 2, "verdict_pairs": 0},
    )
    with ledger:
        assert list(ledger.events(types=(BestImproved,)))
    assert history.best() is not None


def experiment(name: str, score: float) -> Experiment:
    proposal = Proposal(id=name, campaign_id="c", cycle=1, proposer="p", config={"x": score}, rationale="-")
    outcome = Outcome(job_id=name, proposal_id=name, status="ok", config=proposal.config, seed=0)
    return Experiment(proposal=proposal, outcome=outcome, score=score)


def test_the_best_is_chosen_by_its_mean_over_seeds() -> None:
    from core.events import BaselineMeasured, BestChallenged, CycleFinished, JobFinished, ProposalMade

    history = History("c")
    trials = [experiment("lucky", 1.0), experiment("solid", 0.9), experiment("poor", 0.1)]
    baseline = Baseline(config={"x": 0}, seeds=(0, 1), scores=(0.0, 0.3), metrics={})
    events: list[Any] = [BaselineMeasured(campaign_id="c", baseline=baseline)]
    for e in trials:
        events.append(ProposalMade(campaign_id="c", cycle=1, proposal=e.proposal))
        events.append(JobFinished(campaign_id="c", cycle=1, purpose="proposal", outcome=e.outcome, score=e.score))
    events.append(CycleFinished(campaign_id="c", cycle=1, stages={}, metrics={}))
    for seq, event in enumerate(events, 1):
        history.apply(event.model_copy(update={"seq": seq}))
    best = history.best()
    assert best is not None
    assert best.proposal.id == "lucky"
    challenge = Challenge(
        proposal_id="lucky", incumbent="solid", seeds=(1000, 1001), scores=(0.4, 0.5), incumbent_scores=(0.88, 0.9),
        gain=-0.4, low=-0.6, high=-0.2, answer="worse",
    )  # fmt: skip
    history.apply(BestChallenged(campaign_id="c", cycle=2, challenge=challenge).model_copy(update={"seq": 99}))
    best = history.best()
    assert best is not None
    assert best.proposal.id == "solid"
    before = history.best(before=2)
    assert before is not None
    assert before.proposal.id == "lucky"  # what cycle 2 has brought is not known before it
    assert history.runs()["lucky"] == (1.0, 0.4, 0.5)


def test_the_sealed_evaluation_runs_once_and_is_in_no_history(tmp_path: Path) -> None:
    (tmp_path / "sealed.py").write_text(SEALED)
    sealed = {"command": ["{python}", "-I", "-S", "{here}/sealed.py", "{config}"], "metric": "held_out"}
    ledger, stored, history = ran(tmp_path, sealed=sealed, budget={"cycles": 1}, control=["random", "tpe"])
    best = history.best()
    assert best is not None
    assert history.sealed is not None
    assert history.sealed.best == 100 + best.config["x"]
    assert history.sealed.baseline == 100.5
    assert all("held_out" not in e.outcome.metrics for e in history.experiments())
    with ledger:
        jobs = [e for e in ledger.events(types=(JobStarted,)) if isinstance(e, JobStarted)]
        ledger.update_campaign(stored.id, definition=stored.definition.model_copy(
            update={"budget": stored.definition.budget.model_copy(update={"cycles": 2})}
        ))  # fmt: skip
        asyncio.run(run_campaign(StateFolder(tmp_path / "state"), ledger, ledger.campaign(stored.id)))
        later = History.load(ledger, stored.id)
        after = [e for e in ledger.events(types=(JobStarted,)) if isinstance(e, JobStarted)]
    assert len([e for e in jobs if e.purpose == "sealed"]) == 2
    assert len([e for e in after if e.purpose == "sealed"]) == 2
    assert later.sealed == history.sealed
    # the control arms have spent what the council has
    assert {arm: len(told.scores) for arm, told in history.controls.items()} == {
        arm: len(history.experiments()) for arm in ("random", "tpe")
    }


def test_several_objectives_give_a_front_that_nothing_beats(tmp_path: Path) -> None:
    objectives = [{"metric": "score"}, {"metric": "cost", "goal": "minimize"}]
    ledger, stored, history = ran(
        tmp_path, objective=objectives[0], objectives=objectives, noise={"repeats": 2, "verdict_pairs": 0}
    )
    ledger.close()
    assert stored.definition.objective.metric == "score"
    assert stored.definition.metrics == ("cost",)
    front = summarise(stored, history, status="finished")["pareto"]
    told = [(e.outcome.metrics["score"], -e.outcome.metrics["cost"]) for e in history.experiments() if e.outcome.ok]
    assert history.baseline is not None
    told.append((history.baseline.metrics["score"], -history.baseline.metrics["cost"]))
    best = [p for p in told if not any(q != p and q[0] >= p[0] and q[1] >= p[1] for q in told)]
    assert {(p["metrics"]["score"], -p["metrics"]["cost"]) for p in front} == set(best)
    assert [p["metrics"]["score"] for p in front] == sorted((p["metrics"]["score"] for p in front), reverse=True)
