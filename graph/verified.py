"""Which candidate of a campaign on code is worth giving away, and how sure that is.

verified   on fresh seeds, paired with the base, it was better: the verdict, which no choice of a candidate has seen
measured   its tests pass and it was timed; it may be the luckiest of many
refused    the judge refused it, or did not come to an end
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.errors import DeliveryError
from core.events import VerdictReached
from core.records import PATCH, Experiment, Verdict
from memory.history import History
from memory.ledger import Ledger

__all__ = ["Chosen", "Grade", "choose"]

Grade = Literal["verified", "measured", "refused"]


@dataclass(frozen=True)
class Chosen:
    """`verdict` is the last one about this candidate, whatever it says; `at` is when it was judged, UTC seconds."""

    experiment: Experiment
    verdict: Verdict | None
    grade: Grade
    at: int

    @property
    def id(self) -> str:
        return self.experiment.proposal.id

    @property
    def patch(self) -> str:
        """The reference of its diff; empty for the base itself."""
        return str(self.experiment.config.get(PATCH, ""))


def choose(ledger: Ledger, history: History, candidate: str = "", *, unverified: bool = False) -> Chosen:
    """The candidate of that id; without one the last that a verdict found better, with `unverified` else the best.

    Raises DeliveryError where there is none, and for one that is not verified unless `unverified`.
    """
    verdicts = {e.verdict.proposal_id: e.verdict for e in ledger.events(history.campaign_id, types=(VerdictReached,))
                if isinstance(e, VerdictReached)}  # fmt: skip
    trials = {e.proposal.id: e for e in history.experiments()}
    better = [name for name, verdict in verdicts.items() if verdict.answer == "better" and name in trials]
    best = history.best()
    name = candidate or (better[-1] if better else "") or (best.proposal.id if best else "")
    if name not in trials:
        what = f"{name} was not judged" if name else "no candidate was measured yet"
        raise DeliveryError(what, where=history.campaign_id, hint=_go_on(history))
    experiment, verdict = trials[name], verdicts.get(name)
    grade: Grade = "refused"
    if experiment.outcome.ok and experiment.score is not None:
        grade = "verified" if verdict is not None and verdict.answer == "better" else "measured"
    if grade != "verified" and not unverified:
        raise DeliveryError(
            f"{name} is not verified: {_why_not(experiment, verdict)}",
            where=history.campaign_id,
            hint=f"{_go_on(history)}, or take it as it is: --unverified",
        )
    told = history.cycles[experiment.proposal.cycle].outcomes[name]
    return Chosen(experiment, verdict, grade, int(told.at))


def _why_not(experiment: Experiment, verdict: Verdict | None) -> str:
    if not experiment.outcome.ok:
        return f"it was refused ({experiment.outcome.reason or experiment.outcome.cause or experiment.outcome.status})"
    if verdict is None:
        return "it was not compared with the base on fresh seeds"
    return f"compared with the base on {len(verdict.seeds)} fresh seeds, the answer is {verdict.answer}"


def _go_on(history: History) -> str:
    return f"`python run_graph.py resume {history.campaign_id}` goes on"
