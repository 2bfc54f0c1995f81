"""Where the cycle goes next: fan-outs in the order of the council, and the short ways when there is nothing to do."""

from __future__ import annotations

from collections.abc import Iterable

from langgraph.runtime import Runtime
from langgraph.types import Send

from agents.guidance.steering import SEAT
from graph.approval import has_questions
from graph.context import Context
from graph.state import Chair, CycleState

__all__ = ["from_agenda", "past_approval", "to_proposers", "to_voters"]


def to_proposers(state: CycleState, runtime: Runtime[Context]) -> list[Send]:
    """One branch a proposer, and one that speaks for guidance where it asks for something."""
    return _fan_out("proposer", _seats(runtime.context.council.proposers, "proposer", state, runtime), state)


def from_agenda(state: CycleState, runtime: Runtime[Context]) -> list[Send] | str:
    """Code and comments are sharpened before the vote; with nothing on the agenda straight to the historian."""
    if not state["agenda"]:
        return "historian"
    if any(not proposal.is_trial for proposal in state["agenda"]):
        return "sharpen"
    return to_voters(state, runtime)


def to_voters(state: CycleState, runtime: Runtime[Context]) -> list[Send]:
    """One branch a voter, and one that speaks for guidance where it prefers something."""
    return _fan_out("voter", _seats(runtime.context.council.voters, "voter", state, runtime), state)


def past_approval(state: CycleState, runtime: Runtime[Context]) -> str:
    """To a person's approval where a ruling is not the last word, and again while a question is open; else on.

    With nothing accepted there is nothing for the executor.
    """
    if has_questions(state, runtime.context):
        return "approval"
    return "executor" if any(r.decision in ("accept", "amend") for r in state["rulings"]) else "historian"


def _seats(own: Iterable[str], node: str, state: CycleState, runtime: Runtime[Context]) -> list[str]:
    steering = runtime.context.case(state["cycle"], state["direction"], node).steering()
    return list(dict.fromkeys([*own, *([SEAT] if steering.speaks else [])]))


def _fan_out(node: str, seats: list[str], state: CycleState) -> list[Send]:
    return [
        Send(
            node,
            Chair(cycle=state["cycle"], seat=seat, direction=state["direction"], agenda=list(state.get("agenda", []))),
        )
        for seat in seats
    ]
