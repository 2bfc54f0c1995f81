"""What recall needs of a store, proved on the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from memory.ledger import Ledger
from memory.recall import EmbeddingRow, EmbeddingStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddingStore]:
    ledger = Ledger(tmp_path / "ledger.db")
    yield ledger.embeddings
    ledger.close()


def row(id_: str, collection: str = "lessons", text: str = "text", model_id: str = "m") -> EmbeddingRow:
    vector = np.array([0.6, -0.8, 1e-30], dtype=np.float32)
    return EmbeddingRow(id_, collection, "c-1", text, vector, model_id, {"score": 0.5, "n": 3, "config": "{}"})


def test_a_row_comes_back_as_it_went_in(store: EmbeddingStore) -> None:
    store.put_embeddings([row("a", text="naïve 学习 \x00 end")])
    (back,) = store.embeddings()
    assert (back.id, back.collection, back.campaign_id, back.text) == ("a", "lessons", "c-1", "naïve 学习 \x00 end")
    assert back.metadata == {"score": 0.5, "n": 3, "config": "{}"}
    assert back.vector.dtype == np.float32
    assert back.vector.tobytes() == row("a").vector.tobytes()


def test_a_known_id_is_left_as_it_is(store: EmbeddingStore) -> None:
    store.put_embeddings([row("a", text="first"), row("b")])
    store.put_embeddings([row("a", text="second"), row("c")])
    assert [(r.id, r.text) for r in store.embeddings()] == [("a", "first"), ("b", "text"), ("c", "text")]


def test_rows_come_in_order_after_a_position_and_by_collection(store: EmbeddingStore) -> None:
    store.put_embeddings([row("a"), row("b", "guidance"), row("c")])
    positions = [r.position for r in store.embeddings()]
    assert positions == sorted(set(positions))
    assert [r.id for r in store.embeddings(positions[0])] == ["b", "c"]
    assert [r.id for r in store.embeddings(0, "lessons")] == ["a", "c"]
    assert list(store.embeddings(positions[-1])) == []


def test_rows_are_found_by_id_however_many(store: EmbeddingStore) -> None:
    ids = [f"i{n}" for n in range(1_203)]
    store.put_embeddings([row(i) for i in ids])
    assert sorted(r.id for r in store.embeddings_by_id([*ids, "unknown"])) == sorted(ids)
    assert list(store.embeddings_by_id([])) == []


def test_a_replaced_row_is_seen_by_whoever_follows_the_tail(store: EmbeddingStore) -> None:
    store.put_embeddings([row("a"), row("b")])
    seen = max(r.position for r in store.embeddings())
    store.put_embeddings([row("a", text="new", model_id="n"), row("b", text="new", model_id="n")], replace=True)
    assert [(r.id, r.text, r.model_id) for r in store.embeddings(seen)] == [("a", "new", "n"), ("b", "new", "n")]
    assert len(list(store.embeddings())) == 2
