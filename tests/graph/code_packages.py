"""A small package whose slowness is one function, with tests and a benchmark, and a campaign on it.

`told_campaign` writes the ledger of such a campaign as a run of it would, without running anything.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.campaign import Campaign
from core.events import (
    AnyEvent,
    BaselineMeasured,
    CampaignFinished,
    CampaignInterrupted,
    CampaignStarted,
    CycleFinished,
    CycleStarted,
    JobFinished,
    ProposalMade,
    VerdictReached,
)
from core.records import PATCH, Baseline, Outcome, Proposal, Verdict
from graph.code_campaign import open_code
from graph.loading import load_campaign
from memory.history import History
from memory.ledger import Ledger, StoredCampaign
from memory.state_folder import StateFolder

SLOW = '''\
"""Sums."""


def triangle(n: int) -> int:
    """1 + 2 + … + n."""
    total = 0
    for number in range(n + 1):
        total += number
    return total


def greet(name: str) -> str:
    """A greeting."""
    return "hello " + name
'''
FAST = SLOW.replace(
    "    total = 0\n    for number in range(n + 1):\n        total += number\n    return total\n",
    "    return n * (n + 1) // 2\n",
)
OTHER = '"""Nothing that is slow."""\n\nLIMIT = 10\n'
TESTS = """\
from sums.core import greet, triangle


def test_triangle():
    assert [triangle(n) for n in range(5)] == [0, 1, 3, 6, 10]


def test_greet():
    assert greet("you") == "hello you"
"""
BENCHMARK = """\
import json, sys, time

from sums.core import triangle

n = 1_000_000 + int(sys.argv[-1]) % 7
start = time.perf_counter()
result = triangle(n)
print(json.dumps({"seconds": time.perf_counter() - start + 1e-4, "check": str(result)}))
"""
CAMPAIGN: dict[str, Any] = {
    "schema": 1,
    "name": "sums",
    "kind": "code",
    "code": {
        "root": ".",
        "files": ["sums/*.py"],
        "tests": ["{python}", "-m", "pytest", "-q", "tests"],
        "benchmark": ["{python}", "benchmark/bench.py"],
    },
    "environment": {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    "budget": {"cycles": 1},
}


def write_package(folder: Path, **changes: Any) -> Path:
    """The package with its campaign's file, in `folder`."""
    files = {
        "sums/__init__.py": "",
        "sums/core.py": SLOW,
        "sums/other.py": OTHER,
        "tests/test_sums.py": TESTS,
        "benchmark/bench.py": BENCHMARK,
        "campaign.yaml": json.dumps({**CAMPAIGN, **changes}, indent=1),
    }
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text.encode())
    return folder / "campaign.yaml"


def git(folder: Path, *words: str, check: bool = True, **environment: str) -> str:
    """What plain git says, as somebody who has a name and nothing else configured."""
    known = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    who = {f"GIT_{role}_{what}": "someone@here" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    done = subprocess.run(
        ["git", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**known, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "HOME": "/", **environment},
    )
    if check and done.returncode != 0:
        raise AssertionError(f"git {' '.join(words)}: {done.stderr}")
    return done.stdout


def commit_all(folder: Path) -> str:
    """Everything in `folder` in a commit of its own repository, begun where there is none; answers its id."""
    if not (folder / ".git").exists():
        git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--no-verify", "-m", "as it is")
    return git(folder, "rev-parse", "HEAD").strip()


@dataclass(frozen=True)
class Told:
    """A campaign that the ledger knows, and its candidates in the order in which they were given."""

    home: Path
    folder: Path
    id: str
    candidates: tuple[str, ...]

    @property
    def state(self) -> StateFolder:
        return StateFolder(self.home, embedding_model="hash")


def told_campaign(
    home: Path,
    campaign_file: Path,
    *,
    candidates: Sequence[Mapping[str, str | None]] = ({"sums/core.py": FAST},),
    speedups: Sequence[float | None] = (40.0,),
    verdict: str | None = "better",
    finished: bool = True,
    rationale: str = "a closed form in place of a loop",
) -> Told:
    """The campaign after as many judged candidates, each made from the one before; the verdict is about the last."""
    state = StateFolder(home, embedding_model="hash")
    with state.open_ledger() as ledger:
        campaign = load_campaign(campaign_file)
        stored = ledger.create_campaign(campaign)
        names = _tell(state, ledger, stored, candidates, speedups, verdict, finished, rationale)
        ledger.update_campaign(stored.id, status="finished" if finished else "interrupted")
    return Told(home, campaign_file.parent, stored.id, names)


def _tell(
    state: StateFolder,
    ledger: Ledger,
    stored: StoredCampaign,
    candidates: Sequence[Mapping[str, str | None]],
    speedups: Sequence[float | None],
    verdict: str | None,
    finished: bool,
    rationale: str,
) -> tuple[str, ...]:
    campaign: Campaign = stored.definition
    where: dict[str, Any] = {"campaign_id": stored.id}
    ledger.append(CampaignStarted(name=campaign.name, kind=campaign.kind, seed=campaign.seed, **where))
    population = open_code(state, ledger, stored).population
    base = Baseline(config={PATCH: ""}, seeds=(0, 1), scores=(1.0, 1.01), metrics={"speedup": 1.0}, jobs=("j-0", "j-1"))
    told: list[AnyEvent] = [BaselineMeasured(baseline=base, **where)]
    parent = "baseline"
    names: list[str] = []
    for number, (changed, speedup) in enumerate(zip(candidates, speedups, strict=True), 1):
        proposal = Proposal.make(
            campaign_id=stored.id,
            cycle=number,
            proposer="refine",
            kind="code",
            config={PATCH: population.keep(population.tree(changed))},
            rationale=rationale,
            operator="refinement",
            parents=(parent,),
        )
        told += [
            CycleStarted(cycle=number, **where),
            ProposalMade(cycle=number, proposal=proposal, **where),
            JobFinished(
                cycle=number, purpose="proposal", outcome=judged(proposal, number, speedup), score=speedup, **where
            ),
            CycleFinished(cycle=number, stages={}, metrics={}, **where),
        ]
        parent = proposal.id
        names.append(proposal.id)
    if verdict is not None:
        told.append(VerdictReached(verdict=_verdict(names[-1], proposal.config, verdict), **where))
    ending = CampaignFinished if finished else CampaignInterrupted
    told.append(ending(session=1, reason="all cycles done" if finished else "SIGINT", **where))
    ledger.append(*told)
    assert History.load(ledger, stored.id).ended is not None
    return tuple(names)


def judged(proposal: Proposal, number: int, speedup: float | None) -> Outcome:
    """The outcome as the judge tells it; refused without a speed-up."""
    passed = {"passed": 2, "failed": [], "counted": True}
    failed = {"passed": 1, "failed": ["tests.test_sums::test_triangle"], "counted": True}
    about: dict[str, Any] = {
        "job_id": f"j-{number:010x}",
        "proposal_id": proposal.id,
        "config": proposal.config,
        "seed": 0,
        "duration_s": 3.5,
        "cpu_s": 2.5,
        "isolation": {"net": "own network namespace", "memory": "sampled"},
    }
    details: dict[str, Any] = {"planted": True, "isolation_level": 3, "noise": 0.01, "pairs": []}
    if speedup is None:
        return Outcome(
            status="failed",
            cause="tests",
            reason="1 of 2 tests failed: test_triangle",
            details={**details, "tests": failed},
            **about,
        )
    metrics = {"speedup": speedup, "speedup_low": speedup * 0.9, "speedup_high": speedup * 1.1, "pairs": 5.0}
    pairs = [[0.05, 0.05 / speedup]] * 5
    return Outcome(
        status="ok",
        metrics=metrics,
        details={**details, "tests": passed, "answer": "better", "pairs": pairs},
        **about,
    )


def _verdict(name: str, config: dict[str, Any], answer: Any) -> Verdict:
    return Verdict(
        proposal_id=name,
        config=config,
        baseline={PATCH: ""},
        seeds=(1, 2, 3),
        best_scores=(40.0, 41.0, 39.0),
        baseline_scores=(1.0, 1.0, 1.01),
        metrics={"speedup": 40.0},
        gain=39.0,
        low=37.0,
        high=41.0,
        answer=answer,
    )
