"""An operation once under a key: repeated with the same input it is not done again, and answers what it answered."""

from __future__ import annotations

import threading
from dataclasses import replace

from anyio import to_thread

from core.errors import ConflictError
from core.ids import content_hash
from memory.effects import Effect
from memory.leases import Lease
from memory.ledger import Ledger
from service.operations.desk import Desk
from service.operations.operation import Operation, Taken, Told
from service.operations.performing import perform

__all__ = ["perform_once"]

KIND = "request"
KEPT_S = 7 * 24 * 3600.0
"""How long a key stands for its request, from when it was last carried out."""
FORGET_EVERY_S = 3600.0

_lock = threading.Lock()
_forgotten: dict[str, float] = {}
"""When old keys were last looked for, by database."""
_under_way: set[tuple[str, str]] = set()
"""(database, key) of what this process carries out now; the leases tell of other processes."""


async def perform_once(operation: Operation, taken: Taken, desk: Desk, key: str) -> Told:
    """`perform`, at most once for this asker, operation and key.

    What failed may be tried again under its key.  After a crash the operation is told what it had begun
    (`desk.noted`).  Raises ConflictError when the key stands for other input, or is being carried out;
    BusyError when another process does that.
    """
    asker = desk.asker
    name = f"{KIND}-{content_hash(asker.tenant, asker.actor, operation.name, key)[:32]}"
    mark = (desk.ledger.database.where, name)
    with _lock:
        if mark in _under_way:
            raise ConflictError(
                "a request with this key is being carried out",
                where="Idempotency-Key",
                hint="ask again when it is done",
            )
        _under_way.add(mark)
    try:
        lease, effect = await to_thread.run_sync(_begin, operation, taken, desk, name)
        try:
            if effect.state == "finished":
                return operation.answers.model_validate_json(effect.result)
            lent = replace(
                desk,
                request=name,
                noted=effect.remote_id,
                note=lambda noted: desk.ledger.effects.started(effect, noted),
            )
            told = await perform(operation, taken, lent)
            await to_thread.run_sync(desk.ledger.effects.finish, effect, told.model_dump_json())
            return told
        finally:
            await to_thread.run_sync(desk.ledger.leases.release, lease)
    finally:
        with _lock:
            _under_way.discard(mark)


def _begin(operation: Operation, taken: Taken, desk: Desk, name: str) -> tuple[Lease, Effect]:
    request = {"operation": operation.name, "input": content_hash(taken.model_dump(mode="json"))}
    _forget_old(desk.ledger)
    lease = desk.ledger.leases.acquire(name)
    try:
        return lease, desk.ledger.effects.begin(name, KIND, "", request)
    except ConflictError as error:
        desk.ledger.leases.release(lease)
        raise ConflictError(
            "this key was used for a request with other content", where="Idempotency-Key", hint="take a new key"
        ) from error
    except BaseException:
        desk.ledger.leases.release(lease)
        raise


def _forget_old(ledger: Ledger) -> None:
    now, where = ledger.clock(), ledger.database.where
    with _lock:
        if now - _forgotten.get(where, 0.0) < FORGET_EVERY_S:
            return
        _forgotten[where] = now
    ledger.effects.forget(KIND, now - KEPT_S)
