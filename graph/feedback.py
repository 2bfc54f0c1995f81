"""The feedback subgraph: generator → discriminator → agitator, round by round until nothing more is gained.

    generator ──→ discriminator ──→ agitator ──→ generator | END

With a draft it begins at the discriminator.  The same graph comments a file by itself and sharpens a code or comment
proposal of the council before it is voted on.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import add
from typing import Annotated, Any, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from agents.feedback.loop import CodeFeedbackLoop
from agents.feedback.records import CodeComments, DiscriminatorScore, IterationRecord
from core.errors import ConfigError

__all__ = ["FeedbackContext", "FeedbackGraph", "FeedbackState"]

STEPS_PER_ROUND = 3


class FeedbackState(TypedDict, total=False):
    path: str
    code: str
    iterations: int
    recalled: list[str]
    comments: CodeComments
    score: DiscriminatorScore
    records: Annotated[list[IterationRecord], add]


@dataclass
class FeedbackContext:
    """What the nodes work with: the loop, which knows each file's best round, and who is told of a finished round."""

    loop: CodeFeedbackLoop
    told: Callable[[IterationRecord], Any] | None = None


Compiled = CompiledStateGraph[FeedbackState, FeedbackContext, FeedbackState, FeedbackState]


async def generator(state: FeedbackState, runtime: Runtime[FeedbackContext]) -> FeedbackState:
    """Comments of the file by the directives in force."""
    loop = runtime.context.loop
    return {"comments": await asyncio.to_thread(loop.draft, state["path"], state["code"])}


async def discriminator(state: FeedbackState, runtime: Runtime[FeedbackContext]) -> FeedbackState:
    """The score of the draft, with its issues."""
    loop = runtime.context.loop
    return {"score": await asyncio.to_thread(loop.judge, state["code"], state["comments"])}


async def agitator(state: FeedbackState, runtime: Runtime[FeedbackContext]) -> FeedbackState:
    """Guidance for the next round; the round is over."""
    context = runtime.context
    # in a thread as well: an agitator with a model waits, and the model may answer on this very event loop
    conclude, recalled = context.loop.conclude, state.get("recalled", [])
    record = await asyncio.to_thread(
        conclude, state["path"], state["code"], state["comments"], state["score"], recalled
    )
    if context.told is not None:
        answer = context.told(record)
        if inspect.isawaitable(answer):
            await answer
    return {"records": [record]}


def first_step(state: FeedbackState) -> str:
    """A draft that is there is judged; else one is made."""
    return "discriminator" if "comments" in state else "generator"


def another_round(state: FeedbackState) -> str:
    """Again, unless the rounds are spent or nothing is expected to be gained."""
    records = state["records"]
    return END if len(records) >= state["iterations"] or records[-1].agitator_feedback.stop else "generator"


class FeedbackGraph:
    """The loop as a LangGraph graph.  Stateless itself: what is known of the files lies in the loop it is run with."""

    def __init__(self) -> None:
        graph = StateGraph(FeedbackState, context_schema=FeedbackContext)
        graph.add_node("generator", generator)
        graph.add_node("discriminator", discriminator)
        graph.add_node("agitator", agitator)
        graph.add_conditional_edges(START, first_step, ["generator", "discriminator"])
        graph.add_edge("generator", "discriminator")
        graph.add_edge("discriminator", "agitator")
        graph.add_conditional_edges("agitator", another_round, ["generator", END])
        self.compiled: Compiled = graph.compile(name="feedback")

    async def run(
        self,
        loop: CodeFeedbackLoop,
        path: str,
        code: str,
        iterations: int = 2,
        *,
        draft: CodeComments | None = None,
        recalled: Sequence[str] = (),
        told: Callable[[IterationRecord], Any] | None = None,
    ) -> list[IterationRecord]:
        """Up to `iterations` rounds over one file, beginning with `draft` if there is one.

        `told` (which may be a coroutine function) hears of each round.

        Raises ConfigError when the file cannot be analysed, and for fewer than one iteration.
        """
        if iterations < 1:
            raise ConfigError(f"iterations is {iterations}", where="FeedbackGraph.run", hint="give 1 or more")
        begin = FeedbackState(path=path, code=code, iterations=iterations, recalled=list(recalled), records=[])
        state = await self.compiled.ainvoke(
            begin if draft is None else {**begin, "comments": draft},
            {"recursion_limit": STEPS_PER_ROUND * iterations + 2},
            context=FeedbackContext(loop, told),
        )
        records: list[IterationRecord] = state["records"]
        return records

    def describe(self) -> dict[str, Any]:
        """Nodes, edges and the keys under which guidance travels, for dashboards."""
        drawn = self.compiled.get_graph()
        return {
            "nodes": [name for name in drawn.nodes if not name.startswith("__")],
            "edges": [
                {"source": edge.source, "target": edge.target, "conditional": edge.conditional} for edge in drawn.edges
            ],
            "guidance_keys": ["human", "agitator", "recalled"],
            "state_keys": list(FeedbackState.__annotations__),
            "mermaid": drawn.draw_mermaid(),
        }
