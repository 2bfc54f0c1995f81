"""The plan behind a success as a language model tells it, held against the record of the work.

    confidence = rules + (CEILING − rules) · (lines that the steps rest on) / (straight lines of the path)

A model can only make the rules' plan finer: what it names must stand in the record, and a plan that passes over most
of the path gains little.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from agents.answers import PlanAnswer
from agents.guards.names import FILE
from agents.production.plans import DETOUR
from core.errors import ModelError
from core.models import Model
from core.production import ExtractedPlan, ProductionOutcome
from prompts import render

__all__ = ["CEILING", "extract_plan_with_model", "plan_faults"]

CEILING = 0.97
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.]\w)")


async def extract_plan_with_model(
    outcome: ProductionOutcome, by_rules: ExtractedPlan, model: Model
) -> ExtractedPlan | None:
    """The refined plan; None when the model gave no valid answer, or there is no path that it could refine."""
    path = [step for step in outcome.execution_path if step.strip()]
    if not path:
        return None
    prompt = render(
        "historian/plan",
        agent=outcome.agent,
        task=outcome.task,
        path="\n".join(f"{n}. {' '.join(step.split())}" for n, step in enumerate(path, 1)),
        tools=", ".join(outcome.tools_used) or "none were named",
        result=_shown(outcome),
    )
    try:
        answer = await model.ask(prompt, PlanAnswer, lambda told: plan_faults(told, outcome))
    except ModelError:
        return None
    straight = {n for n, step in enumerate(path, 1) if not DETOUR.search(step)}
    cited = {n for step in answer.steps for n in step.lines} & straight
    covered = len(cited) / len(straight) if straight else 0.0
    return by_rules.model_copy(
        update={
            "strategy": answer.strategy,
            "steps": tuple(step.text for step in answer.steps),
            "tools_sequence": tuple(answer.tools) or by_rules.tools_sequence,
            "confidence": by_rules.confidence + max(0.0, CEILING - by_rules.confidence) * covered,
            "evidence": {**by_rules.evidence, "covered": covered},
            "source": "model",
        }
    )


def plan_faults(answer: PlanAnswer, outcome: ProductionOutcome) -> Sequence[str]:
    """What the answer names that does not stand in the record, as sentences for the model."""
    path = [step for step in outcome.execution_path if step.strip()]
    shown = "\n".join((outcome.task, *path, *outcome.tools_used, _shown(outcome)))
    said = "\n".join((answer.strategy, *(step.text for step in answer.steps)))
    faults = [
        f"there is no line {line} in the path: it has {len(path)}"
        for step in answer.steps
        for line in step.lines
        if not 1 <= line <= len(path)
    ]
    tools = {tool.lower() for tool in outcome.tools_used}
    faults += [f"no tool {tool!r} was used" for tool in answer.tools if tool.lower() not in tools]
    faults += [f"there is no file {name!r} in the record" for name in FILE.findall(said) if name not in shown]
    known = set(NUMBER.findall(shown)) | {str(n) for n in range(1, len(path) + 1)}
    faults += [f"the number {n} does not stand in the record" for n in NUMBER.findall(said) if n not in known]
    return list(dict.fromkeys(faults))


def _shown(outcome: ProductionOutcome) -> str:
    """The result as the model sees it."""
    result = outcome.result
    return result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)
