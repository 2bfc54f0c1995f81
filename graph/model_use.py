"""What the language models of a campaign took: calls, tokens, money and time by role, and whether they held out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from core.campaign import Campaign
from core.events import ModelCalled
from memory.history import History

__all__ = ["answers", "cause_of", "model_use", "use_line"]


def model_use(campaign: Campaign, history: History) -> dict[str, Any] | None:
    """The use of models so far; None for a campaign without one.

    `degraded`: a model that was to answer did not, and rules decided in its place; `reason` is its last error.
    `died`: it was silent or refused; `capped`: a cap on tokens, money or time was reached; `useless`: it answered, and
    never so that it could be used.
    """
    calls = history.model_calls
    if not campaign.wants_model() and not calls:  # a persona may have a model where the campaign has none
        return None
    failed = [call for call in calls if call.error]
    invalid = [call for call in failed if call.error.startswith("ModelAnswerError")]
    chosen = [{"asked": c.asked, "model": c.model, "reason": c.reason} for c in history.models.values()]
    return {
        "asked": campaign.model.use,
        "chosen": chosen,
        "models": sorted({call.model_id for call in calls if not call.error} or {call.model_id for call in calls}),
        "questions": sum(call.repair == 0 for call in calls),
        **_sum(calls),
        "roles": {role: _sum([c for c in calls if c.role == role]) for role in dict.fromkeys(c.role for c in calls)},
        "degraded": bool(failed),
        "died": any(call.error.startswith(("ModelSilentError", "ModelRefusedError")) for call in failed),
        "capped": any(call.error.startswith("ModelBudgetError") for call in failed),
        "useless": bool(invalid) and len(failed) >= sum(call.repair == 0 for call in calls),
        "reason": failed[-1].error if failed else "",
    }


def use_line(use: dict[str, Any]) -> str:
    """The use of models in one line for a person."""
    who = ", ".join(use["models"]) or next((c["model"] for c in use["chosen"]), use["asked"])
    if not use["calls"] and not use["failed"]:
        why = next((f" ({c['reason']})" for c in use["chosen"]), "")
        return f"{who}: not asked{why}; rules decided" if who == "none" else f"{who}: no answer so far"
    tokens = use["input_tokens"] + use["output_tokens"]
    cost = f", ${use['cost_usd']:.4f}" if use["cost_usd"] else ""
    text = f"{who}: {answers(use['calls'])}, {tokens:,} tokens{cost}, {use['seconds']:.1f} s"
    if not use["failed"]:
        return text
    left = f"{use['failed']} of {use['questions']} questions stayed without an answer that could be used"
    return f"{text}; {left}, rules decided there ({cause_of(use['reason'])})"


def answers(count: int) -> str:
    """So many, as a person says it."""
    return f"{count} answer{'' if count == 1 else 's'}"


def cause_of(error: str) -> str:
    """The error of a call without its kind."""
    kind, _, what = error.partition(": ")
    return what if what and kind.isidentifier() else error


def _sum(calls: Sequence[ModelCalled]) -> dict[str, Any]:
    answered = [call for call in calls if not call.error]
    return {
        "calls": len(answered),
        "failed": len(calls) - len(answered),
        "repairs": _total(call.repair > 0 for call in answered),
        "input_tokens": _total(call.input_tokens for call in calls),
        "output_tokens": _total(call.output_tokens for call in calls),
        "cost_usd": round(sum(call.cost_usd for call in calls), 6),
        "seconds": round(sum(call.duration_s for call in calls), 3),
    }


def _total(numbers: Iterable[int]) -> int:
    return sum(numbers)
