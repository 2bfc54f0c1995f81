"""The store of outcomes and plans, shared by all agents: the ledger keeps them, recall finds them again by meaning.

    await store.aput(("outcomes", "builder"), outcome.id, outcome.model_dump(mode="json"))
    await store.asearch(("outcomes",), query="parse a log file", reader="qa")

The doors `aput`, `aget` and `asearch` are those of LangGraph's stores (`graph.outcome_store` adapts them); behind them
stand `put`, `get` and `search` for threads.  Nothing is deleted or overwritten: a key that is put again gets a new
row, and the last one counts.  Secrets are scrubbed before anything is written.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from core.errors import ConfigError
from core.plain import plain
from core.production import OUTCOMES, TRAINING, ExtractedPlan, ProductionOutcome
from core.scrub import scrubbed_data
from memory.item_rows import ItemRow
from memory.ledger import Ledger
from memory.recall import MemoryItem, Recall
from memory.transfer import Transfer, Transfers

__all__ = ["ROOTS", "OutcomeStore", "StoredItem"]

ROOTS = (OUTCOMES, TRAINING)
PREFIX = "item-"
"""Of the ids under which recall knows the rows."""
EMBEDDED_CHARS = 1_000
AT_ONCE = 200

R = TypeVar("R", bound=BaseModel)


@dataclass(frozen=True)
class StoredItem:
    """What a key holds.  `score` is the cosine to the question, where one was asked; `at` is UTC seconds.

    `number` counts the rows of the ledger: a later one is greater.
    """

    namespace: tuple[str, str]
    key: str
    value: dict[str, Any]
    at: float
    number: int
    score: float | None = None


class OutcomeStore:
    """Usable from several threads; the ledger and recall are opened and closed by whoever made them."""

    def __init__(self, ledger: Ledger, recall: Recall) -> None:
        self._items = ledger.items
        self._recall = recall
        self._indexed = False
        self._lock = threading.Lock()
        self._malformed: set[int] = set()
        self.transfers = Transfers(ledger.items)

    @property
    def skipped(self) -> int:
        """Rows met so far that are no JSON objects, or not the records they should be."""
        return len(self._malformed)

    # ------------------------------------------------------------------ the doors of LangGraph's stores

    async def aput(self, namespace: Sequence[str], key: str, value: Mapping[str, Any]) -> bool:
        """As `put`, in a thread."""
        return await asyncio.to_thread(self.put, namespace, key, value)

    async def aget(self, namespace: Sequence[str], key: str) -> StoredItem | None:
        """As `get`, in a thread."""
        return await asyncio.to_thread(self.get, namespace, key)

    async def asearch(
        self,
        namespace_prefix: Sequence[str] = (),
        /,
        *,
        query: str | None = None,
        filter: Mapping[str, Any] | None = None,  # noqa: A002  # LangGraph's name
        limit: int = 10,
        offset: int = 0,
        reader: str = "",
    ) -> list[StoredItem]:
        """As `search`, in a thread."""
        return await asyncio.to_thread(
            self.search, namespace_prefix, query=query, filter=filter, limit=limit, offset=offset, reader=reader
        )

    def put(self, namespace: Sequence[str], key: str, value: Mapping[str, Any]) -> bool:
        """Keep a value under ("outcomes" or "training", agent); False when it is there already.

        Durable when this returns; found by meaning too, unless an error is raised.  Raises ConfigError for another
        namespace, an empty key, and a value that is no dictionary.
        """
        root, owner = _namespace(namespace)
        if not _is_label(key) or not isinstance(value, Mapping):
            raise ConfigError("an item has a key, and a dictionary as its value", where=f"{root}, {owner}")
        told = scrubbed_data(plain(value))
        return self._write(root, owner, key, told, _record_of(root, told))

    def get(self, namespace: Sequence[str], key: str) -> StoredItem | None:
        """What the key holds now; None when there is nothing, or nothing that can be read."""
        row = self._items.get(*_namespace(namespace), key)
        return None if row is None else self._item(row)

    def search(
        self,
        namespace_prefix: Sequence[str] = (),
        *,
        query: str | None = None,
        filter: Mapping[str, Any] | None = None,  # noqa: A002
        limit: int = 10,
        offset: int = 0,
        reader: str = "",
    ) -> list[StoredItem]:
        """The items below the prefix: the newest first, or with `query` those most like it.

        () is everything, ("outcomes",) the outcomes of all agents.  `filter` keeps items whose value has these entries.
        `reader` names the agent that is shown them: what is of others is marked as read by it.
        """
        roots, owner = _prefix(namespace_prefix)
        wanted = dict(filter or {})
        end = max(0, limit) + max(0, offset)
        found: list[StoredItem] = []
        if end:
            pages = self._newest(roots, owner) if query is None else self._alike(roots, owner, query, end)
            for item in pages:
                if all(key in item.value and item.value[key] == one for key, one in wanted.items()):
                    found.append(item)
                if len(found) == end:
                    break
        shown = found[max(0, offset) :]
        if reader:
            self.transfers.note_read(reader, {item.key: item.namespace[1] for item in shown})
        return shown

    def namespaces(self) -> list[tuple[str, str]]:
        """Every namespace that holds something, in order."""
        return self._items.namespaces(ROOTS)

    # ------------------------------------------------------------------ records

    def keep_outcome(self, outcome: ProductionOutcome) -> ProductionOutcome:
        """Put it under its own id; answers it as it is kept, which is without secrets."""
        kept = outcome.without_secrets()
        self._write(*kept.namespace, kept.id, kept.model_dump(mode="json"), kept)
        return kept

    def keep_plan(self, plan: ExtractedPlan) -> bool:
        """Put it under the id of its outcome, before or in place of another plan; False when it is there already."""
        told = scrubbed_data(plan.model_dump(mode="json")) | {"agent": plan.agent, "task_type": plan.task_type}
        return self._write(*plan.namespace, plan.id, told, plan)

    def outcomes(
        self, agent: str | None = None, *, success: bool | None = None, task_type: str | None = None, limit: int = 100
    ) -> list[ProductionOutcome]:
        """The newest outcomes of an agent, or of all; malformed ones are skipped and counted."""
        found: list[ProductionOutcome] = []
        before: int | None = None
        while len(found) < limit:
            rows = self._items.latest(
                OUTCOMES, agent, success=success, task_type=task_type, before=before, limit=max(limit, AT_ONCE)
            )
            found += [one for row in rows if (one := self._record(row, ProductionOutcome)) is not None]
            if len(rows) < max(limit, AT_ONCE):
                break
            before = rows[-1].seq
        return found[:limit]

    def outcome_of(self, item: StoredItem) -> ProductionOutcome | None:
        """The outcome that an item is; None, and counted, when it is malformed."""
        try:
            return ProductionOutcome.model_validate(item.value)
        except ValidationError:
            self._malformed.add(item.number)
            return None

    def plans(self, outcomes: Iterable[str]) -> dict[str, ExtractedPlan]:
        """The plan of each of these outcomes that has one, by the outcome's id."""
        keys = list(dict.fromkeys(outcomes))
        rows = [
            row
            for start in range(0, len(keys), AT_ONCE)
            for row in self._items.latest(TRAINING, keys=keys[start : start + AT_ONCE])
        ]
        return {plan.id: plan for row in rows if (plan := self._record(row, ExtractedPlan)) is not None}

    def record_of(self, agent: str, task_type: str) -> tuple[int, int]:
        """(successes, all) of the agent's outcomes at that type of task."""
        return self._items.record(OUTCOMES, agent, task_type)

    def knowledge_transfer(self) -> tuple[Transfer, ...]:
        """Which agent learned from which, as edges with counts."""
        return self.transfers.graph()

    # ------------------------------------------------------------------ inside

    def _write(
        self,
        root: str,
        owner: str,
        key: str,
        told: dict[str, Any],
        record: ProductionOutcome | ExtractedPlan | None,
    ) -> bool:
        row, new = self._items.put(
            root,
            owner,
            key,
            json.dumps(told, ensure_ascii=False, sort_keys=True),
            task_type=str(told.get("task_type", ""))[:200],
            success=record.success if isinstance(record, ProductionOutcome) else None,
        )
        if new:
            if isinstance(record, ProductionOutcome):
                self.transfers.note_uses(record)
            self._index([row])
        return new

    def _newest(self, roots: Sequence[str], owner: str | None) -> Iterable[StoredItem]:
        before: int | None = None
        while True:
            rows = sorted(
                (row for root in roots for row in self._items.latest(root, owner, before=before, limit=AT_ONCE)),
                key=lambda row: -row.seq,
            )[:AT_ONCE]
            yield from (item for row in rows if (item := self._item(row)) is not None)
            if len(rows) < AT_ONCE:
                return
            before = rows[-1].seq

    def _alike(self, roots: Sequence[str], owner: str | None, query: str, wanted: int) -> Iterable[StoredItem]:
        """The items most like the question; what was put again since is passed over, and more is asked for."""
        self._catch_up()
        seen: set[int] = set()
        k = wanted + 8
        while True:
            memories = [m for root in roots for m in self._recall.search(query, k, collection=root, campaign_id=owner)]
            memories.sort(key=lambda m: (-m.similarity, m.id))
            memories = memories[:k]
            alike = {int(m.id.removeprefix(PREFIX)): m.similarity for m in memories}
            rows = self._items.current([number for number in alike if number not in seen])
            for number in (n for n in alike if n not in seen):
                seen.add(number)
                if number in rows and (item := self._item(rows[number], alike[number])) is not None:
                    yield item
            if len(memories) < k:
                return
            k *= 2

    def _index(self, rows: Sequence[ItemRow]) -> None:
        memories = [self._memory(row) for row in rows]
        try:
            self._recall.remember(memories)
        except BaseException:
            self._indexed = False  # the rows are kept: the next search sees to it
            raise

    def _catch_up(self) -> None:
        """Index what was kept by a process that did not come to it."""
        with self._lock:
            if not self._indexed:
                self._index(self._items.unindexed(ROOTS, PREFIX))
                self._indexed = True

    def _memory(self, row: ItemRow) -> MemoryItem:
        value = _object(row.body)
        record = None if value is None else _record_of(row.root, value)
        return MemoryItem(
            id=f"{PREFIX}{row.seq}",
            collection=row.root,
            campaign_id=row.owner,
            # PostgreSQL takes no NUL in a text
            text=(row.body if record is None else _told(record))[:EMBEDDED_CHARS].replace("\x00", " "),
        )

    def _item(self, row: ItemRow, score: float | None = None) -> StoredItem | None:
        value = _object(row.body)
        if value is None:
            self._malformed.add(row.seq)
            return None
        return StoredItem((row.root, row.owner), row.key, value, row.at, row.seq, score)

    def _record(self, row: ItemRow, form: type[R]) -> R | None:
        try:
            return form.model_validate_json(row.body)
        except ValidationError:
            self._malformed.add(row.seq)
            return None


def _namespace(namespace: Sequence[str]) -> tuple[str, str]:
    labels = tuple(namespace)
    if len(labels) != 2 or labels[0] not in ROOTS or not all(_is_label(one) for one in labels):
        raise ConfigError(
            f"there is no namespace {labels!r} here", where="outcome store", hint=f"({' or '.join(ROOTS)}, agent)"
        )
    return labels[0], labels[1]


def _is_label(value: object) -> bool:
    return isinstance(value, str) and bool(value) and "\x00" not in value


def _prefix(prefix: Sequence[str]) -> tuple[Sequence[str], str | None]:
    """The roots and the agent that a prefix allows."""
    labels = tuple(prefix)
    if not labels:
        return ROOTS, None
    if len(labels) == 1 and labels[0] in ROOTS:
        return labels, None
    root, owner = _namespace(labels)
    return (root,), owner


def _object(body: str) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _record_of(root: str, value: Mapping[str, Any]) -> ProductionOutcome | ExtractedPlan | None:
    """The record that a value is, if it is one."""
    form: type[ProductionOutcome | ExtractedPlan] = ProductionOutcome if root == OUTCOMES else ExtractedPlan
    try:
        return form.model_validate(value)
    except ValidationError:
        return None


def _told(record: ProductionOutcome | ExtractedPlan) -> str:
    """What recall compares: what the task was, and how it went or is done."""
    if isinstance(record, ProductionOutcome):
        end = "" if record.success else f"; failed: {'; '.join(record.failure_reasons)[:300]}"
        return f"{record.task_type}: {record.task[:600]}{end}"
    return f"{record.task_type}: {record.strategy[:300]}; {'; '.join(record.steps)}"
