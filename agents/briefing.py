"""A case in words, short enough for a prompt: what is asked, what may change, what was tried."""

from __future__ import annotations

from collections.abc import Sequence

from agents.roles import Case
from agents.wording import describe_value
from core.records import PATCH, Config, Experiment, Proposal
from prompts import visible

__all__ = ["facts", "guidance", "history", "one_line", "outcomes", "proposal_line", "shown"]

LAST_TRIALS, BEST_TRIALS, FAILED_TRIALS = 12, 5, 3
"""Of the history: so many of the newest, of the best, and of those that failed last."""
FORBIDDEN = 8
"""Regions and rules that are told."""


def facts(case: Case) -> str:
    """Campaign, objective, space, baseline, best, and what is forbidden: all from the campaign and the ledger."""
    objective = case.campaign.objective
    lines = [f"Campaign {case.campaign.name}, cycle {case.cycle}: {objective.goal} {objective.metric}."]
    if case.campaign.kind == "code":
        lines.append("Files of a program are changed. Its tests must pass, and its benchmark's results stay the same.")
    else:
        lines += ["Space:", *(f"- {name}: {_spec(spec)}" for name, spec in case.campaign.space.items())]
    if case.baseline is not None:
        noise = f" ± {case.baseline.noise_sd:.2g}"
        name = f"Baseline {_config(case.baseline.config)}".rstrip()
        lines.append(f"{name}: {objective.metric} {_value(case, case.baseline.mean)}{noise}")
    if case.best is not None and case.best.score is not None:
        best = f"{case.best.proposal.id} {_tried(case.best)}"
        lines.append(f"Best so far {best}: {objective.metric} {_value(case, case.best.score)}")
    lines += [f"Forbidden: {region}" for region in case.forbidden()[:FORBIDDEN]]
    return "\n".join(lines)


def history(case: Case) -> str:
    """The trials of `shown`, a line each; what failed says why."""
    return "\n".join(_trial(case, e) for e in shown(case)) or "nothing yet"


def shown(case: Case) -> list[Experiment]:
    """The best trials, the newest, and those that failed last, oldest first."""
    scored = sorted((e for e in case.history if e.score is not None), key=lambda e: -(e.score or 0.0))
    failed = [e for e in case.history if e.outcome.status == "failed"]
    told = (*scored[:BEST_TRIALS], *failed[-FAILED_TRIALS:], *case.history[-LAST_TRIALS:])
    ids = {e.proposal.id for e in told}
    return [e for e in case.history if e.proposal.id in ids]


def outcomes(case: Case, experiments: Sequence[Experiment]) -> str:
    return "\n".join(_trial(case, e) for e in experiments) or "nothing was run"


def guidance(case: Case) -> str:
    return "\n".join(one_line(one.text) for one in case.guidance) or "nothing"


def one_line(text: str, most: int = 500) -> str:
    """Text from outside as one line of a list: it cannot begin a line of its own, nor crowd out the others."""
    line = visible(" ".join(text[: 2 * most].split()))
    return line if len(line) <= most else line[: most - 1] + "…"


def proposal_line(proposal: Proposal, case: Case) -> str:
    """What is proposed, by whom and why, and what the world model expects of it."""
    expected = ""
    if proposal.expected is not None:
        value = case.campaign.objective.value(proposal.expected.mean)
        expected = f"; predicted {case.campaign.objective.metric} {value:.4g} ± {proposal.expected.sd:.2g}"
    what = _config(proposal.config) or f"{proposal.operator} of {len(proposal.parts)} parts"
    return f"{what}{expected}; {proposal.proposer}: {one_line(proposal.rationale, 300)}"


def _trial(case: Case, e: Experiment) -> str:
    told = f"{case.campaign.objective.metric} {_value(case, e.score)}" if e.score is not None else _failure(e)
    return one_line(f"{e.proposal.id} {told}: {_tried(e)}", 190)  # all of `shown` then fit into a prompt


def _failure(e: Experiment) -> str:
    return one_line(f"{e.outcome.status}: {e.outcome.reason or e.outcome.cause}", 100)


def _value(case: Case, score: float) -> str:
    return f"{case.campaign.objective.value(score):.5g}"


def _config(config: Config) -> str:
    """Name and value of each parameter; of a patch nothing: its reference says nothing to anybody."""
    return " ".join(f"{name}={describe_value(value)}" for name, value in config.items() if name != PATCH)


def _tried(e: Experiment) -> str:
    """What a trial was: its configuration, or what a candidate of code is made of."""
    return _config(e.config) or e.proposal.rationale


def _spec(spec: dict[str, object]) -> str:
    kind = spec.get("type")
    told = f"one of {spec['options']}" if "options" in spec else f"{kind} {spec.get('low')} … {spec.get('high')}"
    if kind == "subset":
        told = f"a list from {spec['options']}"
    log = ", logarithmic" if spec.get("log") else ""
    when = f", only with {spec['when']}" if spec.get("when") else ""
    return f"{told}{log}{when}"
