"""The store of outcomes behind LangGraph's doors, and inside of a graph."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypedDict

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.store.base import BaseStore

from core.errors import ConfigError
from core.production import ProductionOutcome
from graph.outcome_store import OutcomeBaseStore
from memory.embeddings import HashEmbedder
from memory.ledger import Ledger
from memory.outcomes import OutcomeStore
from memory.recall import Recall
from memory.transfer import Transfer

BUILDER, QA = ("outcomes", "builder"), ("training", "qa")


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[OutcomeStore]:
    with (
        Ledger(tmp_path / "ledger.db") as ledger,
        Recall.open(tmp_path / "recall", ledger.embeddings, HashEmbedder()) as recall,
    ):
        yield OutcomeStore(ledger, recall)


def test_the_doors_of_a_langgraph_store(kept: OutcomeStore) -> None:
    store = OutcomeBaseStore(kept)
    store.put(BUILDER, "a", {"text": "parse a log"})
    store.put(QA, "b", {"text": "draw a chart"})
    item = store.get(BUILDER, "a")
    assert item is not None
    assert (item.namespace, item.key, item.value) == (BUILDER, "a", {"text": "parse a log"})
    assert item.created_at.year > 2000
    assert store.get(BUILDER, "none") is None
    found = store.search(("training",), query="a chart", limit=3)
    assert [(one.key, one.score is not None) for one in found] == [("b", True)]
    assert [one.key for one in store.search((), filter={"text": "parse a log"})] == ["a"]
    assert store.list_namespaces() == [BUILDER, QA]
    assert store.list_namespaces(prefix=("training",)) == [QA]
    assert store.list_namespaces(suffix=("builder",), max_depth=1) == [("outcomes",)]
    assert store.list_namespaces(prefix=("*", "qa")) == [QA]
    assert store.list_namespaces(limit=1, offset=1) == [QA]
    with pytest.raises(ConfigError, match="append-only"):
        store.delete(BUILDER, "a")
    with pytest.raises(ConfigError, match="no namespace"):
        store.put(("elsewhere",), "a", {"n": 1})


def test_the_asynchronous_doors(kept: OutcomeStore) -> None:
    async def work() -> None:
        store = OutcomeBaseStore(kept)
        await store.aput(BUILDER, "a", {"text": "parse a log"})
        assert (await store.aget(BUILDER, "a")).value == {"text": "parse a log"}  # type: ignore[union-attr]
        assert [one.key for one in await store.asearch(("outcomes",), query="a log", limit=1)] == ["a"]
        assert await store.alist_namespaces() == [BUILDER]

    asyncio.run(work())


class State(TypedDict):
    found: list[str]


def test_a_node_of_a_graph_reads_what_an_agent_logged(kept: OutcomeStore) -> None:
    one = kept.keep_outcome(ProductionOutcome(agent="builder", task="parse a log file", success=True))

    async def node(state: State, *, store: BaseStore) -> dict[str, Any]:
        return {"found": [item.key for item in await store.asearch(("outcomes",), query="parse a log", limit=1)]}

    builder = StateGraph(State)
    builder.add_node("look", node)
    builder.add_edge(START, "look")
    builder.add_edge("look", END)
    graph = builder.compile(store=OutcomeBaseStore(kept, reader="planner"))
    assert asyncio.run(graph.ainvoke({"found": []})) == {"found": [one.id]}
    assert kept.knowledge_transfer() == (Transfer("builder", "planner", read=1),)
