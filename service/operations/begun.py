"""What a request under a key has begun: kept before it is done, so that a repetition after a crash knows of it."""

from __future__ import annotations

from collections.abc import Callable

from core.errors import ConflictError, NotFoundError
from core.record import Record
from memory.ledger import StoredCampaign
from service.operations.desk import Desk

__all__ = ["Begun", "begun_by", "made_once"]


class Begun(Record):
    """`campaign` was made or is about to be.  With `cycles`, its run up to so many cycles was about to be started, when
    it had `done` cycles and `sessions` runs: more sessions since then say that it was.
    """

    campaign: str
    cycles: int | None = None
    done: int = 0
    sessions: int = 0

    def has_run(self, stored: StoredCampaign) -> bool:
        """Whether the run that was about to be started came to its end; one that was interrupted is gone on with."""
        return self.cycles is not None and stored.sessions > self.sessions and stored.status in ("finished", "failed")


def begun_by(desk: Desk) -> Begun | None:
    """What an earlier try under the same key has kept; None for the first one."""
    return Begun.model_validate_json(desk.noted) if desk.noted else None


def made_once(
    desk: Desk, name: str, wanted: str | None, make: Callable[[str | None], StoredCampaign]
) -> StoredCampaign:
    """The campaign that `make(id)` makes, once under a key, also when the process died in the middle.

    `wanted` is its id; None: the next free number of `name`.  Raises ConflictError when `wanted` is taken.
    """
    if desk.note is None:
        return make(wanted)
    if (begun := begun_by(desk)) is not None and (made := _found(desk, begun.campaign)) is not None:
        return made
    while True:
        chosen = wanted or desk.ledger.next_id(name)
        if _found(desk, chosen) is None:
            desk.keep(Begun(campaign=chosen).model_dump_json())
        try:
            return make(chosen)
        except ConflictError:
            desk.keep("")  # it is somebody else's
            if wanted is not None or _found(desk, chosen) is None:
                raise


def _found(desk: Desk, campaign: str) -> StoredCampaign | None:
    try:
        return desk.ledger.campaign(campaign)
    except NotFoundError:
        return None
