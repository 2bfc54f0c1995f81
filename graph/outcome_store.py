"""The store of outcomes as a LangGraph store, to be given to `compile(store=…)`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from langgraph.store.base import (
    BaseStore,
    GetOp,
    Item,
    ListNamespacesOp,
    MatchCondition,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
)

from core.errors import ConfigError
from memory.outcomes import OutcomeStore, StoredItem

__all__ = ["OutcomeBaseStore"]


class OutcomeBaseStore(BaseStore):
    """Namespaces ("outcomes", agent) and ("training", agent).  Append-only: deleting raises ConfigError.

    With a `reader`, what a search shows it of other agents is marked as read by it.
    """

    def __init__(self, store: OutcomeStore, *, reader: str = "") -> None:
        self._store = store
        self._reader = reader

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """The answers of the operations, in order."""
        return [self._answer(op) for op in ops]

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """The same in a thread."""
        return await asyncio.to_thread(self.batch, list(ops))

    def _answer(self, op: Op) -> Result:
        match op:
            case GetOp():
                found = self._store.get(op.namespace, op.key)
                return None if found is None else _item(found)
            case SearchOp():
                told = self._store.search(
                    op.namespace_prefix,
                    query=op.query,
                    filter=op.filter,
                    limit=op.limit,
                    offset=op.offset,
                    reader=self._reader,
                )
                return [SearchItem(**_fields(item), score=item.score) for item in told]
            case PutOp(value=None):
                raise ConfigError("the store of outcomes is append-only: nothing is deleted", where=str(op.namespace))
            case PutOp():
                self._store.put(op.namespace, op.key, op.value or {})
                return None
            case ListNamespacesOp():
                kept = [n for n in self._store.namespaces() if all(_fits(n, c) for c in op.match_conditions or ())]
                cut = dict.fromkeys(n[: op.max_depth] for n in kept)
                return list(islice(cut, op.offset, op.offset + op.limit))
        raise ConfigError(f"the store of outcomes does not know {type(op).__name__}", where="outcome store")


def _fits(namespace: tuple[str, ...], condition: MatchCondition) -> bool:
    path = condition.path
    if len(path) > len(namespace):
        return False
    part = namespace[: len(path)] if condition.match_type == "prefix" else namespace[len(namespace) - len(path) :]
    return all(wanted in ("*", label) for wanted, label in zip(path, part, strict=True))


def _item(item: StoredItem) -> Item:
    return Item(**_fields(item))


def _fields(item: StoredItem) -> dict[str, Any]:
    at = datetime.fromtimestamp(item.at, UTC)
    return {"namespace": item.namespace, "key": item.key, "value": item.value, "created_at": at, "updated_at": at}
