"""The store of outcomes and plans: kept for good, once, without secrets, found by meaning, and shared."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import ConfigError, UnavailableError
from core.production import ExtractedPlan, ProductionOutcome
from memory.embeddings import HashEmbedder
from memory.ledger import Ledger
from memory.outcomes import OutcomeStore
from memory.recall import Recall
from memory.transfer import Transfer

Open = Callable[..., Recall]
BUILDER, QA = ("outcomes", "builder"), ("outcomes", "qa")


@pytest.fixture
def store(ledger: Ledger, open_recall: Open) -> OutcomeStore:
    return OutcomeStore(ledger, open_recall())


def outcome(number: int = 0, agent: str = "builder", success: bool = True, **more: Any) -> ProductionOutcome:
    fields: dict[str, Any] = {"task": f"task {number}", "task_type": "code", "started_at": float(number), **more}
    return ProductionOutcome(agent=agent, success=success, **fields)


def plan(source: ProductionOutcome, **more: Any) -> ExtractedPlan:
    fields = {"strategy": "read, write, test", "confidence": 0.8, **more}
    return ExtractedPlan(agent=source.agent, task_type=source.task_type, source_outcome=source.id, **fields)


def test_what_is_put_is_got_newest_first_and_once(store: OutcomeStore) -> None:
    assert store.put(BUILDER, "a", {"n": 1})
    assert not store.put(BUILDER, "a", {"n": 1})
    assert store.put(QA, "a", {"n": 2})
    assert store.put(BUILDER, "b", {"n": 3})
    got = store.get(BUILDER, "a")
    assert got is not None
    assert (got.namespace, got.key, got.value) == (BUILDER, "a", {"n": 1})
    assert got.at > 0
    assert store.get(BUILDER, "none") is None
    assert [(i.namespace, i.key) for i in store.search()] == [(BUILDER, "b"), (QA, "a"), (BUILDER, "a")]
    assert [i.key for i in store.search(BUILDER, limit=1, offset=1)] == ["a"]
    assert [i.value["n"] for i in store.search(("outcomes",), filter={"n": 2})] == [2]
    assert store.namespaces() == [BUILDER, QA]


def test_a_key_put_again_holds_the_last_value_also_for_a_search(store: OutcomeStore) -> None:
    for text in ("parse a log file", "draw a chart", "parse a log file"):
        assert store.put(BUILDER, "a", {"text": text})
    assert [i.value["text"] for i in store.search(BUILDER)] == ["parse a log file"]
    found = store.search(query="draw a chart", limit=5)
    assert [i.value["text"] for i in found] == ["parse a log file"]
    assert found[0].score is not None
    assert store.search(query="parse a log file")[0].score > found[0].score  # type: ignore[operator]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    puts=st.lists(st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(["x", "y"]), st.integers(0, 3)), max_size=8)
)
def test_it_holds_what_a_dictionary_would(tmp_path: Path, puts: list[tuple[str, str, int]]) -> None:
    number = len(list(tmp_path.iterdir()))
    home = tmp_path / f"home-{number}"
    expected: dict[tuple[str, str], int] = {}
    with Ledger(home / "ledger.db") as ledger, Recall.open(home / "r", ledger.embeddings, HashEmbedder()) as recall:
        store = OutcomeStore(ledger, recall)
        for agent, key, n in puts:
            assert store.put(("outcomes", agent), key, {"n": n}) == (expected.get((agent, key)) != n)
            expected[agent, key] = n
        assert {(i.namespace[1], i.key): i.value["n"] for i in store.search(limit=99)} == expected
        assert {(i.namespace[1], i.key): i.value["n"] for i in store.search(query="n", limit=99)} == expected


def test_it_is_there_after_a_restart_and_for_another_process(tmp_path: Path) -> None:
    kept = outcome(result={"code": "x = 1"})
    for _ in range(2):
        with (
            Ledger(tmp_path / "ledger.db") as ledger,
            Recall.open(tmp_path / "recall", ledger.embeddings, HashEmbedder()) as recall,
        ):
            store = OutcomeStore(ledger, recall)
            store.keep_outcome(kept)
            store.keep_plan(plan(kept))
            with Recall.open(tmp_path / "recall", ledger.embeddings, HashEmbedder()) as reader:
                other = OutcomeStore(ledger, reader)
                assert not reader.owner
                assert other.outcomes() == [kept]
                assert other.plans([kept.id]) == {kept.id: plan(kept)}
                assert [i.key for i in other.search(("training",), query="read and test")] == [kept.id]


def test_a_state_folder_has_one(tmp_path: Path) -> None:
    for _ in range(2):
        with OutcomeStore.open(tmp_path / "home", embedding_model="hash") as store:
            assert store.keep_outcome(outcome()) == outcome()
            assert len(store.search()) == 1


def test_one_agent_finds_what_another_kept_and_that_is_told(store: OutcomeStore) -> None:
    parse, draw = outcome(1, task="parse a log file"), outcome(2, task="draw a chart of sales")
    tested = outcome(3, agent="qa", task="test the parser of a log file")
    for one in (parse, draw, tested):
        store.keep_outcome(one)
    (found,) = store.search(("outcomes",), query="a log file to parse", limit=1, reader="qa")
    assert found.key == parse.id
    store.search(BUILDER, query="a log file to parse", limit=2, reader="qa")
    store.search(("outcomes",), query="test", limit=3, reader="qa")  # its own is no transfer
    assert store.knowledge_transfer() == (Transfer("builder", "qa", read=2),)


def test_what_was_made_use_of_is_an_edge_with_its_success(store: OutcomeStore) -> None:
    first, second = outcome(1), outcome(2)
    for one in (first, second):
        store.keep_outcome(one)
    uses = [
        outcome(3, "qa", learned_from=(first.id, second.id, "o-unknown")),
        outcome(4, "qa", success=False, learned_from=(first.id,), failure_reasons=("no",)),
        outcome(5, "builder", learned_from=(first.id,)),
    ]
    for one in (*uses, *uses):
        store.keep_outcome(one)
    assert store.knowledge_transfer() == (Transfer("builder", "qa", used=3, succeeded=2),)
    told = sorted((u.learner, u.source_outcome, u.success) for u in store.transfers.uses())
    assert told == sorted([
        ("qa", first.id, True), ("qa", second.id, True), ("qa", first.id, False), ("builder", first.id, True),
    ])  # fmt: skip
    assert store.record_of("qa", "code") == (1, 2)


def test_no_secret_reaches_the_disk(tmp_path: Path, ledger: Ledger, store: OutcomeStore) -> None:
    secret = "sk-proj-abcdefghijkl0123"
    told = outcome(
        task=f"use {secret}",
        result={"code": f"connect('{secret}')", "api_key": "tell-nobody"},
        execution_path=(f"curl -H 'Authorization: Bearer {secret}'",),
        metadata={"db_password": "tell-nobody"},
    )
    kept = store.keep_outcome(told)
    store.keep_plan(plan(kept, strategy=f"use {secret}"))
    store.put(BUILDER, "raw", {"text": secret})
    assert kept.result == {"code": "connect('[key]')", "api_key": "[key]"}
    ledger.close()
    on_disk = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"tell-nobody" not in on_disk
    assert secret.encode() not in on_disk


def test_malformed_rows_are_skipped_and_counted_once(tmp_path: Path, store: OutcomeStore) -> None:
    kept = outcome()
    store.keep_outcome(kept)
    store.put(BUILDER, "half", {"agent": "builder"})
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        insert = "INSERT INTO item (root, owner, key, task_type, at, version, body) VALUES (?, ?, ?, '', 0, 1, ?)"
        connection.executemany(insert, [(*BUILDER, f"bad {n}", body) for n, body in enumerate(["{", "[1]", "\x00"])])
    for _ in range(2):
        assert store.outcomes() == [kept]
        assert {i.key for i in store.search(query="task", limit=9)} == {kept.id, "half"}
        assert {i.key for i in store.search()} == {kept.id, "half"}
    assert store.skipped == 4


@pytest.mark.parametrize("namespace", [("outcomes",), ("outcomes", ""), ("secrets", "a"), ("outcomes", "a", "b"), ()])
def test_other_namespaces_are_refused(store: OutcomeStore, namespace: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="no namespace"):
        store.put(namespace, "k", {})


class Failing(HashEmbedder):
    down = True

    def embed(self, texts: Any) -> Any:
        if self.down:
            raise UnavailableError("the embedder is away")
        return super().embed(texts)


def test_what_could_not_be_indexed_is_kept_and_found_later(ledger: Ledger, open_recall: Open) -> None:
    embedder = Failing()
    store = OutcomeStore(ledger, open_recall(embedder))
    with pytest.raises(UnavailableError):
        store.keep_outcome(outcome())
    assert store.outcomes() == [outcome()]
    embedder.down = False
    assert [i.key for i in store.search(query="task")] == [outcome().id]


def test_many_threads_and_the_doors_of_asyncio(store: OutcomeStore) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: store.keep_outcome(outcome(n % 10)), range(40)))
    assert len(store.outcomes()) == 10

    async def work() -> None:
        assert await store.aput(QA, "k", {"text": "one"})
        got = await store.aget(QA, "k")
        assert got is not None
        assert [i.key for i in await store.asearch(QA, query="one")] == ["k"]

    asyncio.run(work())


def test_a_large_store_is_paged_through(store: OutcomeStore) -> None:
    for n in range(250):
        store.put(BUILDER, f"k{n}", {"n": n, "even": n % 2 == 0})
    assert [i.value["n"] for i in store.search(filter={"even": True}, limit=3, offset=100)] == [48, 46, 44]
    assert len(store.search(query="even", limit=240)) == 240
