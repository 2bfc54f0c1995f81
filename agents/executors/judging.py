"""Between job and judge: what is laid out before a candidate's job, and what the judgement makes of its outcome."""

from __future__ import annotations

import shutil
from pathlib import Path

from pydantic import ValidationError

from agents.judge import Judgement, Plan
from agents.roles import Kit
from core.campaign import Campaign
from core.files import write_private
from core.records import PATCH, Config, Outcome

__all__ = ["lay_out_candidate", "with_judgement"]

CANDIDATE = "candidate"
JUDGEMENT = "judgement.json"


def lay_out_candidate(kit: Kit, campaign: Campaign, config: Config, seed: int, directory: Path, first: Path) -> None:
    """The candidate's tree and its plan in `directory`; `first` is the directory of the base's own first job."""
    from runtime.workspaces import lay_out

    assert kit.code is not None
    assert campaign.code is not None
    base = kit.code.base
    changed = kit.code.population.changed_by(str(config.get(PATCH, "")))
    known = None if not changed else _read(first)
    plan = Plan(
        code=campaign.code,
        base=base.tree,
        candidate=lay_out(base, changed, directory / CANDIDATE),
        changed=tuple(sorted(changed)),
        judged={path: wanted for path, wanted in base.hashes.items() if campaign.code.is_judged_by(path)},
        seed=seed,
        noise=None if known is None else known.noise,
        tests=None if known is None else known.tests.passed,
        planted=known is None or known.tests.planted,
        environment=campaign.environment,
        trusted=kit.code.trusted,
    )
    write_private(directory / "plan.json", plan.model_dump_json(indent=1))


def with_judgement(outcome: Outcome, directory: Path) -> Outcome:
    """The outcome with what the judge says: its cause and reason, the isolation, and where the time went."""
    judgement = _read(directory)
    shutil.rmtree(directory / CANDIDATE, ignore_errors=True)
    if judgement is None or outcome.status not in ("ok", "failed"):
        return outcome
    tests = judgement.tests
    details = {
        "answer": judgement.answer,
        "tests": {"passed": len(tests.passed), "failed": list(tests.failed[:20]), "counted": tests.counted},
        "planted": tests.planted,
        "pairs": [list(pair) for pair in judgement.pairs],
        "noise": judgement.noise,
        "isolation_level": judgement.isolation_level,
        "profile": judgement.profile,
    }
    more = {"isolation": {**outcome.isolation, **judgement.isolation}, "details": details}
    if judgement.cause:
        more |= {"cause": judgement.cause, "reason": judgement.reason}
    elif outcome.ok:
        more |= {"reason": judgement.reason}
    return outcome.model_copy(update=more)


def _read(directory: Path) -> Judgement | None:
    """The judgement that lies there; None where there is none, or half of one."""
    try:
        return Judgement.model_validate_json((directory / JUDGEMENT).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError):
        return None
