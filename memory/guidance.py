"""The book of guidance: sentences that steer a campaign, given and dropped by any process, and their receipts.

All of it is events of the ledger; the book itself holds nothing.  Whoever runs the campaign asks it at the beginning
of a node for what is queued; what a node was handed is an event too, so that a cycle that is run again is handed the
same.
"""

from __future__ import annotations

from collections.abc import Iterable

from core.errors import NotFoundError, StorageError, UsageError, nearest
from core.escape import escaped
from core.events import (
    AnyEvent,
    BestImproved,
    GuidanceDelivered,
    GuidanceDropped,
    GuidanceGiven,
    GuidanceUnused,
    GuidanceUsed,
    JobFinished,
)
from core.guidance import (
    MAX_CHARACTERS,
    Door,
    Guidance,
    GuidanceChange,
    GuidancePayoff,
    GuidanceReceipt,
    GuidanceStatus,
)
from memory.ledger import Ledger

__all__ = ["GuidanceBook", "checked_text"]

EVENTS: tuple[type[AnyEvent], ...] = (
    GuidanceGiven,
    GuidanceDelivered,
    GuidanceUsed,
    GuidanceUnused,
    GuidanceDropped,
)
ATTEMPTS = 1000
"""Times a number is looked for when others give guidance at the same moment."""


class GuidanceBook:
    """The guidance of every campaign of one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def give(
        self,
        campaign_id: str,
        text: str,
        *,
        author: str = "human",
        door: Door = "library",
        urgent: bool = False,
        cycle: int = 0,
        recalled_from: str = "",
    ) -> Guidance:
        """Queue a sentence; it is kept when this returns.  Numbers go up by campaign: g1, g2, …

        With a `cycle` (callbacks, recall) the same sentence of the same author for the same cycle is one guidance.
        One that has ended heeds it when it is gone on with.  Raises UsageError for text that is empty, too long or
        holds control characters, NotFoundError for a campaign that does not exist.
        """
        text = checked_text(text)
        self._ledger.campaign(campaign_id)
        known = self.given(campaign_id)
        if cycle:
            for one in known:
                if (one.text, one.author, one.cycle, one.door) == (text, author, cycle, door):
                    return one
        number = len(known)
        for _ in range(ATTEMPTS):
            number += 1
            guidance = Guidance(
                id=f"g{number}",
                text=text,
                author=author,
                cycle=cycle,
                campaign_id=campaign_id,
                door=door,
                urgent=urgent,
                given_at=self._ledger.clock(),
                recalled_from=recalled_from,
            )
            if self._ledger.append(GuidanceGiven(campaign_id=campaign_id, guidance=guidance)):
                return guidance
        raise StorageError("no number is free for this guidance", where=campaign_id, hint="try again")

    def drop(self, campaign_id: str, guidance_id: str, *, author: str = "human", door: Door = "library") -> None:
        """Take a guidance back; from the next node on it has no effect.  What it changed before stays.

        Dropping it again changes nothing.  Raises NotFoundError for an id that was never given.
        """
        known = [one.id for one in self.given(campaign_id)]
        if guidance_id not in known:
            self._ledger.campaign(campaign_id)  # of an unknown campaign, that is the error
            hint = nearest(guidance_id, known) if known else f"nothing was said to {campaign_id} yet"
            raise NotFoundError(f"there is no guidance {guidance_id!r}", where=campaign_id, hint=hint)
        self._ledger.append(GuidanceDropped(campaign_id=campaign_id, guidance_id=guidance_id, author=author, door=door))

    def given(self, campaign_id: str) -> list[Guidance]:
        """Everything said to a campaign, oldest first."""
        told = self._ledger.events(campaign_id, types=(GuidanceGiven,))
        return [event.guidance for event in told if isinstance(event, GuidanceGiven)]

    def dropped(self, campaign_id: str) -> set[str]:
        """Ids of what was taken back."""
        told = self._ledger.events(campaign_id, types=(GuidanceDropped,))
        return {event.guidance_id for event in told if isinstance(event, GuidanceDropped)}

    def receipts(self, campaign_id: str) -> list[GuidanceReceipt]:
        """What has become of every guidance of a campaign, oldest first.  Raises NotFoundError."""
        self._ledger.campaign(campaign_id)
        told = list(self._ledger.events(campaign_id, types=EVENTS))
        if not told:
            return []
        outcomes = list(self._ledger.events(campaign_id, types=(JobFinished, BestImproved)))
        ids = [event.guidance.id for event in told if isinstance(event, GuidanceGiven)]
        return [_receipt(one, told, outcomes) for one in ids]


def checked_text(text: str) -> str:
    """The sentence on one line.  Raises UsageError where it is empty, too long, or could move a cursor."""
    line = " ".join(text.split())
    if escaped(line) != line:
        odd = next(character for character in line if escaped(character) != character)
        raise UsageError(
            f"guidance holds the control character U+{ord(odd):04X}", where="guidance", hint="write it as plain text"
        )
    if not line:
        raise UsageError("guidance is empty", where="guidance", hint='such as "keep learning_rate below 0.01"')
    if len(line) > MAX_CHARACTERS:
        raise UsageError(
            f"guidance has {len(line)} characters, at most {MAX_CHARACTERS}",
            where="guidance",
            hint="say it in several",
        )
    return line


def _receipt(guidance_id: str, told: Iterable[AnyEvent], outcomes: Iterable[AnyEvent]) -> GuidanceReceipt:
    """The receipt of one guidance, from the events about all of them."""
    guidance: Guidance | None = None
    delivered: GuidanceDelivered | None = None
    dropped = False
    proposals: list[str] = []
    changes: list[GuidanceChange] = []
    notes: list[str] = []
    for event in told:
        match event:
            case GuidanceGiven() if event.guidance.id == guidance_id:
                guidance = event.guidance
            case GuidanceDelivered() if event.guidance.id == guidance_id:
                guidance, delivered = event.guidance, event
            case GuidanceUsed() if event.guidance_id == guidance_id:
                proposals += event.proposals
                changes += event.changes
                notes += [f"cycle {event.cycle}: {event.note}"] if event.note else []
            case GuidanceUnused() if event.guidance_id == guidance_id:
                notes.append(f"cycle {event.cycle}: {event.reason}")
            case GuidanceDropped() if event.guidance_id == guidance_id:
                dropped = True
                notes.append(f"dropped by {event.author}")
            case _:
                pass
    assert guidance is not None
    used = bool(proposals or changes) or any(
        isinstance(event, GuidanceUsed) and event.guidance_id == guidance_id for event in told
    )
    unused = any(isinstance(event, GuidanceUnused) and event.guidance_id == guidance_id for event in told)
    status: GuidanceStatus = "queued"
    if dropped:
        status = "dropped"
    elif used:
        status = "used"
    elif unused:
        status = "unused"
    elif delivered is not None:
        status = "delivered"
    cited = tuple(dict.fromkeys(proposals))
    return GuidanceReceipt(
        guidance=guidance,
        status=status,
        node=delivered.node if delivered else "",
        cycle=delivered.cycle if delivered else 0,
        proposals=cited,
        changes=tuple(changes),
        notes=tuple(dict.fromkeys(notes)),
        payoff=_payoff(set(cited), outcomes) if cited else None,
    )


def _payoff(cited: set[str], outcomes: Iterable[AnyEvent]) -> GuidancePayoff:
    """The scores of the proposals in `cited` against those of the same cycles that are not."""
    scores: list[tuple[int, str, float]] = []
    best: list[str] = []
    for event in outcomes:
        if isinstance(event, JobFinished) and event.purpose == "proposal" and event.score is not None:
            scores.append((event.cycle, event.outcome.proposal_id, event.score))
        elif isinstance(event, BestImproved) and event.proposal_id in cited:
            best.append(event.proposal_id)
    cycles = {cycle for cycle, proposal, _ in scores if proposal in cited}
    own = [score for _, proposal, score in scores if proposal in cited]
    others = [score for cycle, proposal, score in scores if cycle in cycles and proposal not in cited]
    return GuidancePayoff(
        cited=len(own),
        cited_mean=sum(own) / len(own) if own else None,
        others=len(others),
        others_mean=sum(others) / len(others) if others else None,
        became_best=tuple(dict.fromkeys(best)),
    )
