"""One cycle from its beginning or its last checkpoint to its end, a request to stop, or a question to a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphDrained
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import RunControl
from langgraph.types import Command, Interrupt

from core.approval_forms import wire_answer
from core.events import RoleFailed
from graph.asking import Callback, Inquiry, Person
from graph.build import RECURSION_LIMIT
from graph.context import Context
from graph.state import CycleState

__all__ = ["Cycle", "Stop", "inquiry_of", "one_cycle", "open_questions"]

Cycle = CompiledStateGraph[CycleState, Context, CycleState, CycleState]


class Stop:
    """A request to stop, from any task or signal handler: the running node is finished and checkpointed first."""

    def __init__(self) -> None:
        self.reason = ""
        self._control: RunControl | None = None

    def request(self, reason: str) -> None:
        self.reason = self.reason or reason
        if self._control is not None:
            self._control.request_drain(reason)

    def control(self) -> RunControl:
        """The control of the next graph run."""
        self._control = RunControl()
        if self.reason:
            self._control.request_drain(self.reason)
        return self._control


async def one_cycle(graph: Cycle, context: Context, number: int, stop: Stop | None = None) -> bool:
    """Run or finish one cycle; False when it was stopped on the way or waits for a person, its checkpoint saved."""
    thread: RunnableConfig = {
        "configurable": {"thread_id": f"{context.campaign_id}:{number}"},
        "recursion_limit": RECURSION_LIMIT,
    }
    stop = stop or Stop()
    begun = await graph.aget_state(thread)
    given: Any = None if begun.next else {"cycle": number}
    waiting: Sequence[Interrupt] = begun.interrupts
    while True:
        if waiting:
            answers = await _answers(context, waiting, stop)
            if answers is None:
                return False
            given = Command(resume=answers)
        try:
            ended = await graph.ainvoke(given, thread, context=context, durability="sync", control=stop.control())
        except GraphDrained:
            return False
        waiting = ended.get("__interrupt__", ())
        if not waiting:
            return context.history.last_finished_cycle >= number


async def _answers(context: Context, waiting: Sequence[Interrupt], stop: Stop) -> dict[str, Any] | None:
    """What to resume these interrupts with, by their id; None while a question is open.

    The answers themselves stand in the ledger, where the node reads them.
    """
    inquiry = context.inquiry or inquiry_of(context)
    asked = {one.id: [told["id"] for told in one.value["approvals"]] for one in waiting}
    mode = context.campaign.approvals.mode
    for ids in asked.values():
        if not await inquiry.wait(ids, mode, lambda: bool(stop.reason)):
            return None
    return {one: {name: wire_answer(context.approvals.get(name)) for name in ids} for one, ids in asked.items()}


def inquiry_of(context: Context, person: Person | None = None, callbacks: Sequence[Callback] = ()) -> Inquiry:
    """Where the campaign's questions are answered while it runs."""

    def report(name: str, error: str) -> None:
        cycle = context.approvals.get(name).cycle
        context.tell(
            RoleFailed(campaign_id=context.campaign_id, cycle=cycle, role="on_approval", name=name, error=error)
        )

    return Inquiry(context.approvals, callbacks=callbacks, person=person, report=report)


def open_questions(context: Context) -> list[str]:
    """Ids of the questions about proposals that wait for an answer."""
    return [one.id for one in context.approvals.waiting(context.campaign_id) if one.asks == "proposal"]
