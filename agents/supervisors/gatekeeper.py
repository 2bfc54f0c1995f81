"""Schema, constraints, risk, budget: what passes every gate is accepted; everything else is rejected by name."""

from __future__ import annotations

import ast
from functools import lru_cache

import numpy as np

from agents.code.suspicion import suspicions
from agents.registry import supervisor
from agents.roles import Case, Kit, Supervisor
from core.errors import ConfigError
from core.records import Proposal, Ruling, Tally
from search.constraints import violations
from search.rules import broken as broken_rules

__all__ = ["gatekeeper"]


@supervisor("gatekeeper")
def gatekeeper(max_risk: float = 0.7, min_tally: float = -0.25) -> Supervisor:
    """Accept in the order of the tally until the direction's jobs are given out; default deny.

    The gates, in order: schema (a config with inactive parameters is amended, any other fault rejects), limits of
    guidance, rules, forbidden regions, repeats, vetoes, tally below `min_tally`, risk above `max_risk`, jobs of this
    cycle.  What a person asked to be tried first gets its job whatever tally and risk say.
    One probe a cycle may go where regions were learned, and is not measured by tally and risk: it is there to be wrong.
    A code or comment proposal has gates of its own: its Python files parse, it was not carried out before, vetoes,
    tally.  So has a candidate of a code campaign: the files may be changed and parse, no limit of guidance stands
    against it, something is changed that was not judged before, nothing reaches for the judge, vetoes, tally, jobs of
    this cycle.
    risk = 1 − (1 − f)(1 − d / 2), with f the predicted probability of failing and d the disagreement of the voters
    (standard deviation of their scores, at most 1).
    """

    async def rule(proposal: Proposal, case: Case, kit: Kit) -> Ruling:
        if proposal.kind == "code" and proposal.is_trial:
            return _rule_candidate(proposal, case, min_tally)
        if proposal.kind != "experiment":
            return _rule_files(proposal, case, min_tally)
        amended: Proposal | None = None
        try:
            config = case.space.validate_config(proposal.config)
        except ConfigError as error:
            return _reject(proposal, 1.0, "schema", f"{error.what}; {error.hint}")
        if limit := case.steering().violated(proposal.model_copy(update={"config": config})):
            return _reject(proposal, 1.0, "guidance", str(limit))
        if unkept := broken_rules(config, case.rules()):
            return _reject(proposal, 1.0, "rules", unkept[0].reason)
        if config != proposal.config:
            amended = proposal.model_copy(update={"config": config})
        tally = next(t for t in case.tallies if t.proposal_id == proposal.id)
        risk = risk_of(proposal, case)
        probing = bool(proposal.probes) and not _probed(case)
        broken = violations(config, case.forbidden_by_the_user() if probing else case.forbidden())
        if broken:
            return _reject(proposal, 1.0, "forbidden", broken[0].reason)
        if already_tried(config, case):
            return _reject(proposal, risk, "repeat", "exactly this configuration has run or is about to run")
        if probing and case.direction is not None and case.direction.jobs > 1:
            reason = f"the cycle's one probe, about {proposal.probes}; risk {risk:.2f}"
            return Ruling(proposal_id=proposal.id, decision="accept", risk=risk, rule="probe", reason=reason)
        wish = case.steering().asked_for(proposal, case.history)
        if wish is not None and not tally.vetoed_by and _given(case) < _allowed(case):
            reason = f"asked for by {wish}; risk {risk:.2f}"
            return Ruling(proposal_id=proposal.id, decision="accept", risk=risk, rule="guidance", reason=reason)
        if denied := _denied(tally, risk, case):
            return _reject(proposal, risk, *denied)
        place = f"tally {tally.score:+.2f}, risk {risk:.2f}"
        if amended is not None:
            dropped = ", ".join(sorted(set(proposal.config) - set(config))) or "rounded values"
            return Ruling(
                proposal_id=proposal.id,
                decision="amend",
                risk=risk,
                rule="schema",
                reason=f"{place}; brought into form: {dropped}",
                amended=amended,
            )
        return Ruling(proposal_id=proposal.id, decision="accept", risk=risk, rule="all gates passed", reason=place)

    def _denied(tally: Tally, risk: float, case: Case) -> tuple[str, str] | None:
        if tally.vetoed_by:
            return "veto", f"vetoed by {', '.join(tally.vetoed_by)}"
        if tally.score < min_tally:
            return "tally", f"tally {tally.score:+.2f} is below {min_tally:+.2f}"
        if risk > max_risk:
            return "risk", f"risk {risk:.2f} is above {max_risk:.2f}"
        allowed = _allowed(case) - _waiting(case)  # jobs are kept for what a person asked for
        if allowed > 1 and any(p.probes for p in case.proposals) and not _probed(case):
            allowed -= 1  # kept for the probe, which the tally puts last
        if _given(case) >= allowed:
            return "budget", f"the {allowed} jobs of this cycle went to proposals with a better tally"
        return None

    return rule


def _given(case: Case) -> int:
    """Jobs of this cycle that are given out."""
    return sum(ruling.decision in ("accept", "amend") for ruling in case.rulings)


def _allowed(case: Case) -> int:
    return case.direction.jobs if case.direction else 0


def _waiting(case: Case) -> int:
    """Proposals of this cycle that a person asked for, and that are not ruled on yet."""
    ruled = {ruling.proposal_id for ruling in case.rulings}
    vetoed = {tally.proposal_id for tally in case.tallies if tally.vetoed_by}
    open_ones = [p for p in case.proposals if p.id not in ruled | vetoed]
    return sum(case.steering().asked_for(p, case.history) is not None for p in open_ones)


def _probed(case: Case) -> bool:
    """Whether a probe was accepted in this cycle."""
    return any(ruling.rule == "probe" for ruling in case.rulings)


def risk_of(proposal: Proposal, case: Case) -> float:
    """The chance of a wasted job, in 0 … 1."""
    failures = any(e.outcome.status == "failed" for e in case.history)
    failing = float(case.world_model().predict([proposal.config]).failure_probability[0]) if failures else 0.0
    scores = [vote.score for vote in case.votes if vote.proposal_id == proposal.id and vote.confidence > 0]
    disagreement = min(1.0, float(np.std(scores))) if len(scores) > 1 else 0.0
    return round(1 - (1 - failing) * (1 - disagreement / 2), 4)


def _rule_files(proposal: Proposal, case: Case, min_tally: float) -> Ruling:
    """The gates of a code or comment proposal; the risk is 0: what is accepted is written beside, never over a file."""
    tally = next(t for t in case.tallies if t.proposal_id == proposal.id)
    broken = next((fault for path, text in proposal.files.items() if (fault := _syntax_fault(path, text))), "")
    if broken:
        return _reject(proposal, 0.0, "syntax", broken)
    if any(earlier.content == proposal.content for earlier in case.applied):
        return _reject(proposal, 0.0, "repeat", "exactly this was carried out before")
    if tally.vetoed_by:
        return _reject(proposal, 0.0, "veto", f"vetoed by {', '.join(tally.vetoed_by)}")
    if tally.score < min_tally:
        return _reject(proposal, 0.0, "tally", f"tally {tally.score:+.2f} is below {min_tally:+.2f}")
    reason = f"tally {tally.score:+.2f}"
    return Ruling(proposal_id=proposal.id, decision="accept", risk=0.0, rule="all gates passed", reason=reason)


def _rule_candidate(proposal: Proposal, case: Case, min_tally: float) -> Ruling:
    """The gates of a candidate of a code campaign; the risk is the share of its operator's that were refused so far."""
    population = case.population
    assert population is not None
    changed = population.changed_of(proposal)
    tally = next(t for t in case.tallies if t.proposal_id == proposal.id)
    row = population.by_operator.get(proposal.operator)
    risk = round((row.tried - row.passed) / row.tried, 4) if row else 0.5
    if outside := [path for path in changed if not population.allowed(path)]:
        return _reject(proposal, 1.0, "paths", f"{outside[0]} may not be changed")
    if broken := next((fault for path, text in changed.items() if (fault := _syntax_fault(path, text or ""))), ""):
        return _reject(proposal, 1.0, "syntax", broken)
    if limit := case.steering().violated(proposal, changed, population.base):
        return _reject(proposal, 1.0, "guidance", str(limit))
    files = population.tree(changed)
    if population.is_known(files):
        return _reject(proposal, risk, "repeat", "nothing is changed, or the same code was judged before")
    if found := suspicions(population.base, files):
        return _reject(proposal, 1.0, "tampering", f"it reaches for its judge: {found[0]}")
    if tally.vetoed_by:
        return _reject(proposal, risk, "veto", f"vetoed by {', '.join(tally.vetoed_by)}")
    wish = case.steering().asked_for(proposal, case.history)
    if wish is not None and _given(case) < _allowed(case):
        reason = f"asked for by {wish}; risk {risk:.2f}"
        return Ruling(proposal_id=proposal.id, decision="accept", risk=risk, rule="guidance", reason=reason)
    if tally.score < min_tally:
        return _reject(proposal, risk, "tally", f"tally {tally.score:+.2f} is below {min_tally:+.2f}")
    allowed = _allowed(case) - _waiting(case)
    if _given(case) >= allowed:
        return _reject(proposal, risk, "budget", f"the {allowed} jobs of this cycle went to others with a better tally")
    reason = f"tally {tally.score:+.2f}, risk {risk:.2f}"
    return Ruling(proposal_id=proposal.id, decision="accept", risk=risk, rule="all gates passed", reason=reason)


@lru_cache(maxsize=1024)
def _syntax_fault(path: str, text: str) -> str:
    """Why a Python file does not parse; empty when it does, or is no Python file."""
    if not path.endswith((".py", ".pyi")):
        return ""
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"{path} does not parse: {error}"
    return ""


def already_tried(config: dict[str, object], case: Case) -> bool:
    """Whether a finished trial, or one accepted in this cycle, has this very configuration."""
    accepted = {r.proposal_id for r in case.rulings if r.decision in ("accept", "amend")}
    pending = [p.config for p in case.proposals if p.id in accepted]
    return any(config == e.config for e in case.history) or config in pending


def _reject(proposal: Proposal, risk: float, rule: str, reason: str) -> Ruling:
    return Ruling(proposal_id=proposal.id, decision="reject", risk=risk, rule=rule, reason=reason)
