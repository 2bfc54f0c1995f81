"""The cycle on one screen:

    director → proposer × n → agenda → [sharpen] → voter × n → tally
             → supervisor → [approval] → executor → historian → END

One thread a cycle (`<campaign>:<cycle>`); the next cycle is a new thread, begun by `graph.campaign` until a target,
a budget or a person ends it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from langgraph.graph import END, START, StateGraph

from graph import nodes, routing
from graph.approval import approval
from graph.context import Context
from graph.state import CycleState

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver
    from langgraph.graph.state import CompiledStateGraph

__all__ = ["RECURSION_LIMIT", "build", "drawing"]

Hand = Callable[[Any], Any]
"""Of a node, the node that needs no context."""

RECURSION_LIMIT = 100
"""Supersteps of one run of a cycle; it takes nine, and one more for each time that an answer was not one."""


def build(
    checkpointer: BaseCheckpointSaver[str] | None = None, *, hand: Hand | None = None
) -> CompiledStateGraph[CycleState, Context, CycleState, CycleState]:
    """The compiled cycle.  `hand` gives every node its context, for callers who cannot pass one; see `graph.studio`."""
    graph = StateGraph(CycleState, context_schema=None if hand else Context)
    seat = hand or _as_it_is
    graph.add_node("director", seat(nodes.director))
    graph.add_node("proposer", seat(nodes.proposer))
    graph.add_node("agenda", seat(nodes.agenda), defer=True)
    graph.add_node("sharpen", seat(nodes.sharpen))
    graph.add_node("voter", seat(nodes.voter))
    graph.add_node("tally", seat(nodes.tally), defer=True)
    graph.add_node("supervisor", seat(nodes.supervisor))
    graph.add_node("approval", seat(approval))
    graph.add_node("executor", seat(nodes.executor))
    graph.add_node("historian", seat(nodes.historian))

    graph.add_edge(START, "director")
    graph.add_conditional_edges("director", seat(routing.to_proposers), ["proposer"])
    graph.add_edge("proposer", "agenda")
    graph.add_conditional_edges("agenda", seat(routing.from_agenda), ["sharpen", "voter", "historian"])
    graph.add_conditional_edges("sharpen", seat(routing.to_voters), ["voter"])
    graph.add_edge("voter", "tally")
    graph.add_edge("tally", "supervisor")
    graph.add_conditional_edges("supervisor", seat(routing.past_approval), ["approval", "executor", "historian"])
    graph.add_conditional_edges("approval", seat(routing.past_approval), ["approval", "executor", "historian"])
    graph.add_edge("executor", "historian")
    graph.add_edge("historian", END)
    return graph.compile(checkpointer=checkpointer, name="cycle")


def _as_it_is(node: Any) -> Any:
    return node


def drawing() -> str:
    """The cycle as a Mermaid drawing."""
    return build().get_graph().draw_mermaid()
