"""The probe: now and then a trial is spent on finding out why jobs fail, or whether a learned region is right."""

from __future__ import annotations

from collections.abc import Sequence

from agents.registry import proposer
from agents.roles import Case, Kit, Proposer
from core.records import Proposal
from search.constraints import Region, violations
from search.probing import probe as next_probe
from search.trials import Trial

__all__ = ["may_probe", "probe"]


@proposer("probe")
def probe(share: float = 0.1) -> Proposer:
    """At most one probe a cycle, and `share` of all trials (twice that in recovery); none while nothing has failed.

    What a person has forbidden is never probed.  The supervisor lets one probe a cycle into what was only learned.
    """

    async def propose(case: Case, kit: Kit) -> Sequence[Proposal]:
        if not may_probe(case, share):
            return []
        trials = [
            Trial(e.proposal.id, e.config, e.score if e.outcome.ok else None)
            for e in case.history
            if e.outcome.status in ("ok", "failed")
        ]
        learned = [(x.id, Region.model_validate(x.region)) for x in case.lessons if x.region is not None]
        found = next_probe(case.space, trials, learned, kit.rng)
        if found is None or violations(found.config, case.forbidden_by_the_user()):
            return []
        return [case.propose("probe", found.config, found.reason, probes=found.about)]

    return propose


def may_probe(case: Case, share: float) -> bool:
    """Whether the share of probes among the trials is not used up."""
    done = sum(bool(e.proposal.probes) for e in case.history)
    return done < share * (2 if case.mode == "recover" else 1) * len(case.history)
