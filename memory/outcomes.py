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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from core.errors import ConfigError
from core.plain import plain
from core.production import OUTCOMES, TRAINING, ExtractedPlan, ProductionOutcome
from core.scrub import scrubbed_data
from memory.item_rows import ItemRow
from memory.ledger import Ledger
from memory.outcome_items import (
    ROOTS,
    StoredItem,
    below,
    is_label,
    namespace_of,
    object_of,
    record_of_value,
    told_of,
)
from memory.recall import MemoryItem, Recall
from memory.state_folder import StateFolder
from memory.transfer import Transfer, Transfers

__all__ = ["ROOTS", "OutcomeStore", "StoredItem"]

PREFIX = "item-"
"""Of the ids under which recall knows the rows."""
EMBEDDED_CHARS = 1_000
AT_ONCE = 200

R = TypeVar("R", bound=BaseModel)


class OutcomeStore:
    """Usable from several threads; the ledger and recall are opened and closed by whoever made them, or by `open`."""

    def __init__(self, ledger: Ledger, recall: Recall) -> None:
        self._items = ledger.items
        self._recall = recall
        self._caught_up = False
        self._waiting: list[ItemRow] = []
        self._lock = threading.Lock()
        self._malformed: set[int] = set()
        self.transfers = Transfers(ledger.items)

    @classmethod
    @contextmanager
    def open(cls, home: Path, *, embedding_model: str = "all-MiniLM-L6-v2") -> Iterator[OutcomeStore]:
        """The store of a state folder, such as `Path(".ratchet")`.  Raises StorageError."""
        folder = StateFolder(home, embedding_model=embedding_model)
        with folder.open_ledger() as ledger, folder.open_recall(ledger) as recall:
            yield cls(ledger, recall)

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
        root, owner = namespace_of(namespace)
        if not is_label(key) or not isinstance(value, Mapping):
            raise ConfigError("an item has a key, and a dictionary as its value", where=f"{root}, {owner}")
        told = scrubbed_data(plain(value))
        return self._write(root, owner, key, told, record_of_value(root, told))

    def get(self, namespace: Sequence[str], key: str) -> StoredItem | None:
        """What the key holds now; None when there is nothing, or nothing that can be read."""
        row = self._items.get(*namespace_of(namespace), key)
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
        roots, owner = below(namespace_prefix)
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

    def keep_outcome(self, outcome: ProductionOutcome, *, index: bool = True) -> ProductionOutcome:
        """Put it under its own id; answers it as it is kept, which is without secrets.

        Without `index` it is found by meaning after the next `index` or search: many at once are embedded faster.
        """
        kept = outcome.without_secrets()
        self._write(*kept.namespace, kept.id, kept.model_dump(mode="json"), kept, index)
        return kept

    def keep_plan(self, plan: ExtractedPlan, *, index: bool = True) -> bool:
        """Put it under the id of its outcome, in place of another plan there may be; False when it is there already."""
        told = scrubbed_data(plan.model_dump(mode="json")) | {"agent": plan.agent, "task_type": plan.task_type}
        return self._write(*plan.namespace, plan.id, told, plan, index)

    def index(self) -> None:
        """Embed what was kept without it."""
        with self._lock:
            rows, self._waiting = self._waiting, []
        if not rows:
            return
        try:
            self._recall.remember([self._memory(row) for row in rows])
        except BaseException:
            self._caught_up = False  # the rows are kept: the next search sees to it
            raise

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
        index: bool = True,
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
            with self._lock:
                self._waiting.append(row)
            if index:
                self.index()
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

    def _catch_up(self) -> None:
        """Index what waits here, and what a process kept that did not come to it."""
        self.index()
        if not self._caught_up:
            self._recall.remember([self._memory(row) for row in self._items.unindexed(ROOTS, PREFIX)])
            self._caught_up = True

    def _memory(self, row: ItemRow) -> MemoryItem:
        value = object_of(row.body)
        record = None if value is None else record_of_value(row.root, value)
        return MemoryItem(
            id=f"{PREFIX}{row.seq}",
            collection=row.root,
            campaign_id=row.owner,
            # PostgreSQL takes no NUL in a text
            text=(row.body if record is None else told_of(record))[:EMBEDDED_CHARS].replace("\x00", " "),
        )

    def _item(self, row: ItemRow, score: float | None = None) -> StoredItem | None:
        value = object_of(row.body)
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
