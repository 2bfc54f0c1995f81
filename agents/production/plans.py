"""The plan behind a success, by rules: the path without its detours, and a confidence that is counted, not claimed.

    confidence = FLOOR + (CEILING − FLOOR) · Σ wᵢ eᵢ / Σ wᵢ

over the evidence eᵢ in 0 … 1 of `WEIGHTS`.  A success of a few straight steps with tools and a result, by an agent
without a record, stands at about 0.8; one that tests confirmed, by an agent that succeeds at such tasks, above 0.9.
What later uses of the plan came to moves it further (`standing`).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from core.production import MAX_ENTRIES, MAX_TEXT, ExtractedPlan, ProductionOutcome

__all__ = ["CEILING", "FLOOR", "WEIGHTS", "code_of", "extract_plan", "standing"]

FLOOR, CEILING = 0.5, 0.95
"""It did succeed once; and rules are never sure that it will again."""
WEIGHTS: Mapping[str, float] = {
    "path": 2.0,
    "straight": 2.0,
    "tools": 1.0,
    "result": 1.0,
    "tested": 2.0,
    "record": 2.0,
}
ENOUGH_STEPS = 3
PRIOR_USES = 4.0
"""Later uses after which they count as much as what the plan promised."""
DETOUR = re.compile(
    r"^\W*(?:✗|✘|❌|failed|failure|error|exception|retry|retrying|timeout|timed out|aborted|gave up)(?!\w)"
    r"|(?:\bfailed|\bwith an error|✗|✘|❌)\W*$",
    re.IGNORECASE,
)


def extract_plan(outcome: ProductionOutcome, record: tuple[int, int] = (0, 0)) -> ExtractedPlan | None:
    """The plan of a success; None of a failure.

    `record` counts (successes, all) of the agent's outcomes at that type of task, this one among them or not.
    """
    if not outcome.success:
        return None
    told = [step.strip() for step in outcome.execution_path if step.strip()]
    straight = [step for step in told if not DETOUR.search(step)]
    steps = _without_repeats(straight) or ([outcome.task.strip()[:MAX_TEXT]] if outcome.task.strip() else [])
    tools = _without_repeats(tool.strip() for tool in outcome.tools_used if tool.strip())
    evidence = {
        "path": min(1.0, len(_without_repeats(straight)) / ENOUGH_STEPS),
        "straight": len(straight) / len(told) if told else 0.0,
        "tools": _mentioned(tools, steps),
        "result": _substance(outcome.result),
        "tested": _tested(outcome),
        "record": (record[0] + 1) / (record[1] + 2),
    }
    weighted = sum(WEIGHTS[name] * value for name, value in evidence.items()) / sum(WEIGHTS.values())
    return ExtractedPlan(
        agent=outcome.agent,
        task_type=outcome.task_type,
        strategy=_strategy(outcome, steps, tools),
        steps=tuple(steps[:MAX_ENTRIES]),
        tools_sequence=tuple(tools[:MAX_ENTRIES]),
        confidence=FLOOR + (CEILING - FLOOR) * weighted,
        evidence=evidence,
        source_outcome=outcome.id,
    )


def standing(plan: ExtractedPlan, succeeded: int, used: int) -> float:
    """The confidence after `used` later outcomes that followed the plan, of which `succeeded` went well.

    (a c + k) / (a + n) with a = PRIOR_USES: the mean of a Beta posterior whose prior is worth a uses.
    """
    return (PRIOR_USES * plan.confidence + succeeded) / (PRIOR_USES + used)


def code_of(result: Any) -> str:
    """The code of a result: what a dictionary has under `code`; "" where there is none."""
    code = result.get("code") if isinstance(result, Mapping) else None
    return code if isinstance(code, str) else ""


def _without_repeats(entries: Iterable[str]) -> list[str]:
    """Without neighbours that are the same."""
    return [one for one, _ in groupby(entries)]


def _strategy(outcome: ProductionOutcome, steps: Sequence[str], tools: Sequence[str]) -> str:
    heads = [step if len(step) <= 60 else f"{step[:57]}…" for step in steps[:5]]
    more = f" → {len(steps) - 5} more" if len(steps) > 5 else ""
    using = f", with {', '.join(dict.fromkeys(tools[:5]))}" if tools else ""
    return f"{outcome.task_type}: {' → '.join(heads)}{more}{using}"[:MAX_TEXT]


def _mentioned(tools: Sequence[str], steps: Sequence[str]) -> float:
    """½ for tools that are named at all, and the rest by the share that stands in the steps too."""
    if not tools:
        return 0.0
    text = "\n".join(steps).lower()
    named = {tool.lower() for tool in tools}
    return 0.5 + 0.5 * sum(1 for tool in named if tool in text) / len(named)


def _substance(result: Any) -> float:
    """1 for code that can be parsed, ½ for anything else that is there."""
    if code := code_of(result):
        try:
            ast.parse(code)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return 0.5
        return 1.0
    return 0.5 if result not in (None, "", [], {}) else 0.0


def _tested(outcome: ProductionOutcome) -> float:
    """The share of tests that passed, where result or metadata count them; a bare word that they did is ½."""
    told = [one for one in (outcome.result, outcome.metadata) if isinstance(one, Mapping)]
    for one in (*told, *(one["test_results"] for one in told if isinstance(one.get("test_results"), Mapping))):
        passed, failed = one.get("passed"), one.get("failed", 0)
        if type(passed) is int and type(failed) is int and min(passed, failed) >= 0 and passed + failed:
            return passed / (passed + failed)
        if any(one.get(name) is True for name in ("tests_passed", "all_passed", "verified")):
            return 0.5
    return 0.0
