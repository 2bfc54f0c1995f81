"""What holds whoever supervises."""

from __future__ import annotations

from agents.roles import Case
from core.errors import RatchetError
from core.ids import content_hash
from core.records import Proposal, Ruling
from graph.guidance_effects import limit_against
from search.space import Space

__all__ = ["enforced", "key_of"]


def enforced(ruling: Ruling, proposal: Proposal, case: Case, taken: set[str]) -> Ruling:
    """What holds whoever supervises: a proposal that is to run lies in the space and within the limits of guidance,
    and no two of a cycle are the same.

    `taken` are the keys of those that are to run, and grows.
    """
    if ruling.decision not in ("accept", "amend"):
        return ruling
    if ruling.amended is not None and ruling.amended.kind != proposal.kind:
        reason = f"a {proposal.kind} proposal cannot be amended to {ruling.amended.kind}"
        return ruling.model_copy(update={"decision": "reject", "amended": None, "rule": "schema", "reason": reason})
    try:
        key = key_of(ruling.amended or proposal, case.space)
    except RatchetError as error:
        denied = {"rule": "schema", "reason": f"{error.what}; {error.hint}"}
    else:
        if limit := limit_against(ruling.amended or proposal, case):
            denied = {"rule": "guidance", "reason": str(limit)}
            return ruling.model_copy(update={"decision": "reject", "amended": None, **denied})
        if key not in taken:
            taken.add(key)
            return ruling
        denied = {"rule": "repeat", "reason": "exactly this is about to run"}
    return ruling.model_copy(update={"decision": "reject", "amended": None, **denied})


def key_of(proposal: Proposal, space: Space) -> str:
    """Equal for proposals of the same content.  Raises RatchetError for a configuration outside the space."""
    if proposal.is_trial:
        return space.key(proposal.config)
    return content_hash(*proposal.content)
