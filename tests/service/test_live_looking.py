"""Looking at a campaign on a live service: its improvements stand where others have trials."""

from pathlib import Path

import pytest
from command_line import Cli

from core.campaign import Campaign
from core.events import CampaignStarted, CycleStarted, ImprovementAssessed, ImprovementDeployed, ProposalMade
from core.improvement import ImpactAssessment, ServiceLevel
from core.records import Proposal
from memory.state_folder import StateFolder

LIVE = {
    "files": ["shop/*.py"],
    "start": ["{python}", "-m", "shop"],
    "telemetry": [{"jsonl": "{telemetry}"}],
    "tests": ["pytest"],
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """With shop-1: one improvement kept, one taken back, one being watched."""
    folder = StateFolder(tmp_path / "home")
    with folder.open_ledger() as ledger:
        made = ledger.create_campaign(Campaign.model_validate({"name": "shop", "kind": "live", "live": LIVE})).id
        ledger.append(CampaignStarted(campaign_id=made, name="shop", kind="live", seed=0))
        for cycle, name in enumerate(("cached", "planted", "batched"), 1):
            at = {"campaign_id": made, "cycle": cycle}
            proposal = Proposal.make(
                proposer="improver",
                kind="code",
                files={"shop/a.py": name},
                rationale=f"it is {name}",
                opportunity=f"o-{cycle}",
                made_from={"shop/a.py": "before"},
                **at,
            )
            deployed = {"proposal_id": proposal.id, "deployment_id": f"d-{cycle}", "revision": "abc"}
            ledger.append(CycleStarted(**at), ProposalMade(proposal=proposal, **at))
            ledger.append(ImprovementDeployed(paths=("shop/a.py",), **deployed, **at))
            told = ImpactAssessment(
                opportunity_id=proposal.opportunity,
                proposal_id=proposal.id,
                status="rolled_back" if cycle == 2 else "completed",
                reason="degraded: latency" if cycle == 2 else "healthy",
                baseline=ServiceLevel(p95_s=0.045),
                final=ServiceLevel(p95_s=0.018 * cycle),
                latency_reduction_percent=60,
                latency_reduction_low_percent=42,
                latency_reduction_high_percent=71,
            )
            if cycle < 3:
                ledger.append(ImprovementAssessed(assessment=told, **at))
    return tmp_path / "home"


def test_its_history_are_improvements_with_what_they_brought(cli: Cli, home: Path) -> None:
    told = cli("history", "shop-1", "--json", home=home).json
    assert told["trials"] == []
    assert [(one["cycle"], one["status"], one["deployment"]) for one in told["improvements"]] == [
        (1, "kept", "d-1"),
        (2, "rolled_back", "d-2"),
        (3, "watched", "d-3"),
    ]
    text = cli("history", "shop-1", home=home).out.splitlines()
    assert "kept" in text[1]
    assert "45.0 → 18.0" in text[1]
    assert "-60 % [-71, -42]" in text[1]
    assert text[2].endswith("it is planted: degraded: latency")
    assert "1 kept, 1 rolled back, 1 watched" in cli("status", "shop-1", home=home).out


def test_it_has_no_past_to_go_back_to_and_nothing_to_give_away(cli: Cli, home: Path) -> None:
    for words in (("rewind", "shop-1"), ("rewind", "shop-1", "1"), ("rewind", "shop-1", "1", "--fork")):
        told = cli(*words, home=home)
        assert (told.code, "cannot be forked" in told.err) == (3, True)
    given = cli("deliver", "shop-1", home=home)
    assert (given.code, "is live there already" in given.err) == (1, True)
