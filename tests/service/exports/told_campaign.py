"""A whole small campaign, told event by event at known times: a conditional parameter, failed and stopped jobs,
live reports, a model, a role that raised, and a verdict."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.campaign import Campaign
from core.events import (
    AnyEvent,
    BaselineMeasured,
    BestImproved,
    CampaignFinished,
    CampaignStarted,
    CycleFinished,
    CycleStarted,
    DirectionSet,
    JobFinished,
    JobStarted,
    ModelCalled,
    ProposalMade,
    ProposalRuled,
    ProposalTallied,
    RoleFailed,
    VerdictReached,
    VoteCast,
)
from core.records import Baseline, Direction, Outcome, Proposal, Ruling, Tally, Verdict, Vote
from memory.ledger import Ledger, StoredCampaign
from memory.state_folder import StateFolder

EPOCH = 1_800_000_000.0
DEFINITION: dict[str, Any] = {
    "name": "told",
    "command": ["true"],
    "objective": {"metric": "loss", "goal": "minimize"},
    "space": {
        "lr": {"type": "float", "low": 1e-4, "high": 1.0, "log": True},
        "layers": {"type": "int", "low": 1, "high": 8},
        "kind": {"type": "choice", "options": ["sgd", "adam", True, None]},
        "momentum": {"type": "float", "low": 0.0, "high": 0.9, "when": {"kind": ["sgd"]}},
        "parts": {"type": "subset", "options": ["a", "b"]},
    },
    "baseline": {"lr": 0.1, "layers": 2, "kind": "sgd", "momentum": 0.5, "parts": []},
    "early_stop": {"metric": "loss", "goal": "minimize"},
}


class SteppingClock:
    """A second passes with every look."""

    def __init__(self) -> None:
        self.now = EPOCH

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


@dataclass
class Told:
    folder: StateFolder
    ledger: Ledger
    stored: StoredCampaign
    proposals: list[Proposal]

    def tell(self, *events: AnyEvent) -> None:
        for event in events:
            self.ledger.append(event)


def tell_campaign(home: Path, *, cycles: int = 2, finished: bool = True) -> Told:
    """Three trials a cycle: one is good, one was stopped, one failed; the fourth proposal is rejected."""
    folder = StateFolder(home, embedding_model="hash")
    folder.create()
    ledger = Ledger(folder.ledger_url, clock=SteppingClock())
    stored = ledger.create_campaign(Campaign.model_validate(DEFINITION))
    told = Told(folder, ledger, stored, [])
    of = {"campaign_id": stored.id}
    baseline = Baseline(
        config=stored.definition.baseline, seeds=(0, 1), scores=(-0.5, -0.7), metrics={"loss": 0.6}, jobs=("j-b0",)
    )
    told.tell(CampaignStarted(**of, name="told", kind="experiment", seed=0), BaselineMeasured(**of, baseline=baseline))
    for cycle in range(1, cycles + 1):
        tell_cycle(told, cycle)
    if finished:
        best = told.proposals[0]
        verdict = Verdict(
            proposal_id=best.id, config=best.config, baseline=stored.definition.baseline, seeds=(100,),
            best_scores=(-0.2,), baseline_scores=(-0.6,), metrics={"loss": 0.2}, gain=0.4, low=0.3, high=0.5,
            answer="better",
        )  # fmt: skip
        told.tell(VerdictReached(**of, verdict=verdict), CampaignFinished(**of, session=1, reason="all cycles done"))
        ledger.update_campaign(stored.id, status="finished")
    return told


def tell_cycle(told: Told, cycle: int) -> None:
    of: dict[str, Any] = {"campaign_id": told.stored.id, "cycle": cycle}
    told.tell(
        CycleStarted(**of),
        DirectionSet(**of, direction=Direction(cycle=cycle, mode="explore", jobs=3, reason="=1+1 is no formula")),
        RoleFailed(**of, role="voter", name="odd", error="ValueError: x"),
        ModelCalled(
            **of, call=f"c{cycle}", role="proposer", seat="ideas", prompt="ideas", edition="1",
            model_id='ollama:"a"\\b', input_tokens=100, output_tokens=20, cost_usd=0.25, duration_s=0.5,
        ),
        ModelCalled(
            **of, call=f"c{cycle}", role="proposer", seat="ideas", prompt="ideas", edition="1", model_id="ollama:b",
            error="ModelSilentError: away",
        ),
    )  # fmt: skip
    configs: list[dict[str, Any]] = [
        {"lr": 0.01, "layers": min(cycle, 8), "kind": "sgd", "momentum": 0.1, "parts": ["a"]},
        {"lr": 0.02, "layers": 3, "kind": True, "parts": ["a", "b"]},
        {"lr": 0.03, "layers": 4, "kind": None, "parts": []},
        {"lr": 0.04, "layers": 5, "kind": "adam", "parts": []},
    ]
    made = [
        Proposal.make(campaign_id=told.stored.id, cycle=cycle, proposer="=HYPERLINK(1)", config=c, rationale="-2+3")
        for c in configs
    ]
    told.proposals += made
    for proposal in made:
        told.tell(ProposalMade(**of, proposal=proposal))
    for number, proposal in enumerate(made):
        accepts = number < 3
        told.tell(
            VoteCast(
                **of, vote=Vote(proposal_id=proposal.id, voter="novelty", score=0.5 if accepts else -0.5, reason="r")
            ),
            ProposalTallied(**of, tally=Tally(proposal_id=proposal.id, score=0.5, weights={"novelty": 1.0})),
            ProposalRuled(
                **of,
                ruling=Ruling(
                    proposal_id=proposal.id,
                    decision="accept" if accepts else "reject",
                    risk=0.1,
                    rule="all",
                    reason="r",
                ),
            ),
        )
    statuses: tuple[Any, ...] = ("ok", "stopped", "failed")
    for status, proposal in zip(statuses, made, strict=False):
        tell_job(told, proposal, status, of)
    told.tell(
        BestImproved(**of, proposal_id=made[0].id, score=-0.2 / cycle, previous=None),
        CycleFinished(**of, stages={}, metrics={"total_proposals": 4}),
    )


def tell_job(told: Told, proposal: Proposal, status: Any, of: dict[str, Any]) -> None:
    job = f"j-{proposal.id[2:]}"
    directory = told.folder.experiments / job
    directory.mkdir(parents=True, exist_ok=True)
    reports = [{"step": step, "time_s": 0.25 * step, "metrics": {"loss": 1.0 / step}} for step in (1, 2, 3)]
    (directory / "metrics.jsonl").write_text("".join(json.dumps(one) + "\n" for one in reports))
    value = {"ok": {"loss": 0.2 / proposal.cycle, "time": 3.0}, "stopped": {"loss": 0.9}, "failed": {}}[status]
    outcome = Outcome(
        job_id=job, proposal_id=proposal.id, status=status, config=proposal.config, seed=7, metrics=value,
        cause="crashed" if status == "failed" else "", curve=((1, 1.0), (2, 0.5), (3, 0.25)), steps=3, duration_s=0.75,
        cpu_s=0.5,
    )  # fmt: skip
    score = -value["loss"] if "loss" in value else None
    told.tell(
        JobStarted(
            **of, job_id=job, proposal_id=proposal.id, purpose="proposal", config=proposal.config, seed=7,
            directory=str(directory),
        ),
        JobFinished(**of, purpose="proposal", outcome=outcome, score=score),
    )  # fmt: skip
