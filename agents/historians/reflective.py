"""A language model beside the chronicler: insights with evidence, and the plan behind a good result."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agents import briefing, guards
from agents.answers import ReflectionAnswer
from agents.asking import ask
from agents.registry import historian, make
from agents.roles import Case, Historian, Kit
from core.campaign import Use
from core.ids import content_id
from core.records import Experiment, Lesson

__all__ = ["reflective"]


@historian("reflective")
def reflective(rules: str = "chronicler") -> Historian:
    """The lessons of `rules`, and up to two insights and a plan of the model.

    An insight names trials that there are and quotes only results that were; it steers nobody by itself.  The plan is
    kept only with a cycle that brought a new best.
    """
    by_rules: Historian = make("historian", Use(use=rules), Path())

    async def learn(outcomes: Sequence[Experiment], case: Case, kit: Kit) -> Sequence[Lesson]:
        lessons = list(await by_rules(outcomes, case, kit))
        if not outcomes:
            return lessons
        ids = [e.proposal.id for e in outcomes]

        def faults(answer: ReflectionAnswer) -> list[str]:
            said = [*(one.text for one in answer.insights), *answer.plan]
            odd = [guards.unknown_trials(one.evidence, case, outcomes) for one in answer.insights]
            odd += [guards.false_statements(one.claims, case, outcomes) for one in answer.insights]
            judged = [guards.judged(text, case, ids, outcomes) for text in said]
            return [fault for found in (*odd, *judged) for fault in found]

        answer, _ = await ask(
            kit,
            "historian/reflection",
            ReflectionAnswer,
            faults,
            facts=briefing.facts(case),
            history=briefing.history(case),
            outcomes=briefing.outcomes(case, outcomes),
            lessons="\n".join(briefing.one_line(lesson.text) for lesson in case.lessons[-10:]) or "nothing",
        )
        if answer is None:
            return lessons
        known = {lesson.text for lesson in case.lessons}
        told: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = [
            (one.text, tuple(one.evidence), ()) for one in answer.insights[:2] if one.text not in known
        ]
        best = _new_best(outcomes, case)
        if best is not None and answer.plan:
            steps = " ".join(f"{number}. {step}" for number, step in enumerate(answer.plan, 1))
            told.append((f"plan behind {best.proposal.id}: {steps}", (best.proposal.id,), tuple(answer.plan)))
        return lessons + [
            Lesson(
                id=content_id("l", case.line, "insight", text),
                kind="insight",
                text=text,
                cycle=case.cycle,
                evidence=evidence,
                steps=plan,
                source="model",
            )
            for text, evidence, plan in told
        ]

    return learn


def _new_best(outcomes: Sequence[Experiment], case: Case) -> Experiment | None:
    """The best of the cycle, where it beats all that was known before."""
    scored = [e for e in outcomes if e.score is not None]
    best = max(scored, key=lambda e: e.score or 0.0, default=None)
    reference = case.reference
    if best is None or (reference is not None and (best.score or 0.0) <= reference):
        return None
    return best
