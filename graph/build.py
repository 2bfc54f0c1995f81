"""The cycle on one screen:

    director → proposer × n → agenda → [sharpen] → voter × n → tally
             → supervisor → [approval] → executor → historian → END

One thread a cycle (`<campaign>:<cycle>`); the next cycle is a new thread, begun by `graph.campaign` until a target,
a budget or a person ends it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from langgraph.graph import END, START, StateGraph

from graph import nodes, routing
from graph.approval import approval
from graph.context import Context
from graph.state import CycleState

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver
    from langgraph.graph.state import CompiledStateGraph

__all__ = ["RECURSION_LIMIT", "build", "drawing"]

RECURSION_LIMIT = 100
"""Supersteps of one run of a cycle; it takes nine, and one more for each time that an answer was not one."""


def build(
    checkpointer: BaseCheckpointSaver[str] | None = None,
) -> CompiledStateGraph[CycleState, Context, CycleState, CycleState]:
    """The compiled cycle."""
    graph = StateGraph(CycleState, context_schema=Context)
    graph.add_node("director", nodes.director)
    graph.add_node("proposer", nodes.proposer)
    graph.add_node("agenda", nodes.agenda, defer=True)
    graph.add_node("sharpen", nodes.sharpen)
    graph.add_node("voter", nodes.voter)
    graph.add_node("tally", nodes.tally, defer=True)
    graph.add_node("supervisor", nodes.supervisor)
    graph.add_node("approval", approval)
    graph.add_node("executor", nodes.executor)
    graph.add_node("historian", nodes.historian)

    graph.add_edge(START, "director")
    graph.add_conditional_edges("director", routing.to_proposers, ["proposer"])
    graph.add_edge("proposer", "agenda")
    graph.add_conditional_edges("agenda", routing.from_agenda, ["sharpen", "voter", "historian"])
    graph.add_conditional_edges("sharpen", routing.to_voters, ["voter"])
    graph.add_edge("voter", "tally")
    graph.add_edge("tally", "supervisor")
    graph.add_conditional_edges("supervisor", routing.past_approval, ["approval", "executor", "historian"])
    graph.add_conditional_edges("approval", routing.past_approval, ["approval", "executor", "historian"])
    graph.add_edge("executor", "historian")
    graph.add_edge("historian", END)
    return graph.compile(checkpointer=checkpointer, name="cycle")


def drawing() -> str:
    """The cycle as a Mermaid drawing."""
    return build().get_graph().draw_mermaid()
