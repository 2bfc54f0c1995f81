"""Explore, exploit or recover, by stated thresholds on the best score so far."""

from __future__ import annotations

from agents.registry import director
from agents.roles import Case, Director, Kit
from core.records import Direction, Mode
from search.stagnation import detect_stagnation, recent_gain

__all__ = ["thresholds"]


@director("thresholds")
def thresholds(
    strong_gain: float = 0.05,
    gain_window: int = 2,
    stagnation: float = 0.01,
    stagnation_window: int = 5,
) -> Director:
    """Recover when the best rose by less than `stagnation` in `stagnation_window` cycles, exploit after a gain above
    `strong_gain` in `gain_window` cycles, else explore.

    Both thresholds are in units of the score.  A gain inside twice the noise floor is no gain.  Recovery lasts one
    cycle at a time: a cycle of exploring follows it, so that what it found is worked on.
    """

    async def direct(case: Case, kit: Kit) -> Direction:
        mode, reason = judge(case)
        jobs = min(case.campaign.council.jobs_per_cycle, jobs_left(case))
        return Direction(cycle=case.cycle, mode=mode, jobs=jobs, reason=reason, director="thresholds")

    def judge(case: Case) -> tuple[Mode, str]:
        curve = best_per_cycle(case)
        if len(curve) < 2:
            return "explore", "nothing is known yet" if not curve else "only the baseline is known"
        noise = 2 * case.baseline.noise_sd if case.baseline else 0.0
        gain = recent_gain(curve, min(gain_window, len(curve) - 1))
        if gain > max(strong_gain, noise):
            return (
                "exploit",
                f"gained {gain:.4g} in the last {gain_window} cycles, more than {max(strong_gain, noise):.4g}",
            )
        recovering = bool(case.directions) and case.directions[-1].mode == "recover"
        if detect_stagnation(curve, threshold=stagnation, window=stagnation_window):
            if recovering:
                return "explore", "still no progress, but the last cycle was spent on recovery: its finds are worked on"
            rise = recent_gain(curve, stagnation_window)
            return "recover", f"gained {rise:.4g} in the last {stagnation_window} cycles, less than {stagnation:.4g}"
        if 0 < gain <= noise:
            return "explore", f"the recent gain of {gain:.4g} lies inside twice the noise floor ({noise:.4g})"
        return "explore", f"gained {gain:.4g} in the last {gain_window} cycles: neither strong progress nor stagnation"

    return direct


def best_per_cycle(case: Case) -> list[float]:
    """The best score after the baseline and after each earlier cycle."""
    curve: list[float] = [case.baseline.mean] if case.baseline else []
    by_cycle: dict[int, list[float]] = {number.cycle: [] for number in case.directions}
    for experiment in case.history:
        if experiment.score is not None and experiment.outcome.ok:
            by_cycle.setdefault(experiment.proposal.cycle, []).append(experiment.score)
    for number in sorted(by_cycle):
        best = max([*curve[-1:], *by_cycle[number]], default=None)
        if best is not None:
            curve.append(best)
    return curve


def jobs_left(case: Case) -> int:
    """Jobs that the campaign's budget still allows."""
    budget = case.campaign.budget.jobs
    return max(0, budget - len(case.history)) if budget is not None else case.campaign.council.jobs_per_cycle
