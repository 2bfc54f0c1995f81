"""Did a guidance pay: the proposals that cite it beside those of the same cycles that do not."""

from __future__ import annotations

from typing import Any

from core.campaign import Objective
from core.guidance import GuidanceReceipt

__all__ = ["paid_line", "payoff"]


def payoff(receipt: GuidanceReceipt, objective: Objective) -> dict[str, Any] | None:
    """Did a guidance pay, in the metric's own direction; `difference` is of scores: above 0 is better."""
    paid = receipt.payoff
    if paid is None:
        return None
    both = paid.cited_mean is not None and paid.others_mean is not None
    return {
        "metric": objective.metric,
        "cited": paid.cited,
        "cited_mean": None if paid.cited_mean is None else objective.value(paid.cited_mean),
        "others": paid.others,
        "others_mean": None if paid.others_mean is None else objective.value(paid.others_mean),
        "difference": (paid.cited_mean or 0.0) - (paid.others_mean or 0.0) if both else None,
        "became_best": list(paid.became_best),
    }


def paid_line(paid: dict[str, Any]) -> str:
    """Did it pay, for a person."""
    if paid["cited_mean"] is None:
        return "no proposal that cites it has a result yet"
    line = f"{paid['metric']} {paid['cited_mean']:.5g} over {paid['cited']} that cite it"
    if paid["others_mean"] is not None:
        line += f", {paid['others_mean']:.5g} over {paid['others']} of the same cycles that do not"
    best = f"; {', '.join(paid['became_best'])} became best" if paid["became_best"] else "; none became best"
    return line + best
