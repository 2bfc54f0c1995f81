"""A language model beside the thresholds: it may choose mode and focus; the budget stays theirs."""

from __future__ import annotations

from pathlib import Path

from agents import briefing, guards
from agents.answers import DirectionAnswer
from agents.asking import ask
from agents.registry import director, make
from agents.roles import Case, Director, Kit
from core.campaign import Use
from core.errors import nearest
from core.records import Direction

__all__ = ["advised"]


@director("advised")
def advised(rules: str = "thresholds") -> Director:
    """The mode, focus and reason of the model; jobs, and without an answer everything, of the director `rules`.

    Where the two differ in mode, the reason says both.  A focus on what is no parameter is sent back.
    """
    by_rules: Director = make("director", Use(use=rules), Path())

    async def direct(case: Case, kit: Kit) -> Direction:
        ruled = await by_rules(case, kit)

        def faults(answer: DirectionAnswer) -> list[str]:
            odd = [name for name in answer.focus if name not in case.space]
            told = [f"focus: there is no parameter {name!r}; {nearest(name, case.space.names)}" for name in odd]
            told += guards.judged(answer.reason, case, [one.text for one in case.guidance])
            return told + guards.false_statements(answer.claims, case)

        answer, why = await ask(
            kit,
            "director/direction",
            DirectionAnswer,
            faults,
            facts=briefing.facts(case),
            history=briefing.history(case),
            guidance=briefing.guidance(case),
            rules_mode=ruled.mode,
            rules_reason=ruled.reason,
        )
        if answer is None:
            reason = f"{ruled.reason} (rules: {why})"
            return ruled.model_copy(update={"director": "advised", "reason": reason})
        reason = answer.reason
        if answer.mode != ruled.mode:
            reason += f" (the thresholds said {ruled.mode}: {ruled.reason})"
        return Direction(
            cycle=case.cycle,
            mode=answer.mode,
            jobs=ruled.jobs,
            reason=reason,
            focus=tuple(answer.focus),
            director="advised",
            source="model",
        )

    return direct
