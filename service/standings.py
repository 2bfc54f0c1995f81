"""Who was right: what came of every seat's votes and proposals, and of the rules' beside the model's."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from core.records import Source
from memory.history import History
from memory.ledger import StoredCampaign
from service import charts

__all__ = ["by_source", "proposers", "voters"]


def voters(history: History) -> list[dict[str, Any]]:
    """How often each voter was right, and its weight over the cycles (1 before it had a record)."""
    cast: Counter[str] = Counter()
    silent: Counter[str] = Counter()
    sources: dict[str, Counter[Source]] = defaultdict(Counter)
    for cycle in history.cycles.values():
        for event in (event for events in cycle.votes.values() for event in events):
            cast[event.vote.voter] += 1
            silent[event.vote.voter] += event.vote.confidence == 0
            sources[event.vote.voter][event.vote.source] += 1
    latest, over_time = history.track_records("voter"), _weights(history)
    return [
        {
            "name": name,
            "source": _main(sources[name]),
            "votes": cast[name],
            "abstained": silent[name],
            "judged": latest[name].judged if name in latest else 0,
            "accuracy": latest[name].accuracy if name in latest else None,
            "weight": latest[name].weight if name in latest else 1.0,
            "spark": charts.spark([weights.get(name, 1.0) for weights in over_time]),
        }
        for name in sorted(cast)
    ]


def proposers(stored: StoredCampaign, history: History, told: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What came of each proposer's proposals, and how well it foresaw it.  `told`: every proposal, as `Explanations`
    tells of it."""
    latest = history.track_records("proposer")
    made: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for proposal in told:
        made[proposal["proposer"]].append(proposal)
    return [
        {
            "name": name,
            "source": _main(Counter(p["source"] for p in proposals)),
            **_came_of(stored, proposals),
            "beat": latest[name].accuracy if name in latest else None,
        }
        for name, proposals in sorted(made.items())
    ]


def by_source(stored: StoredCampaign, history: History, told: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rules' proposals and votes beside the model's, each with what came of it.

    A seat of a model in which rules had to answer counts there by the proposal, and as a voter by the seat.
    """
    seats = voters(history)
    rows = []
    for source in dict.fromkeys([*(p["source"] for p in told), *(seat["source"] for seat in seats)]):
        seated = [seat for seat in seats if seat["source"] == source]
        judged = sum(seat["judged"] for seat in seated)
        right = sum(seat["accuracy"] * seat["judged"] for seat in seated if seat["judged"])
        rows.append(
            {
                "source": source,
                **_came_of(stored, [p for p in told if p["source"] == source]),
                "voters": len(seated),
                "judged": judged,
                "credit": right / judged if judged else None,
            }
        )
    return rows


def _came_of(stored: StoredCampaign, proposals: Sequence[dict[str, Any]]) -> dict[str, Any]:
    outcomes = [p["outcome"] for p in proposals if p["outcome"]]
    values = [o["value"] for o in outcomes if o["value"] is not None]
    off = [o["prediction"]["sds_off"] for o in outcomes if o["prediction"]]
    predicted = [abs(z) for z in off if z is not None]
    pick = max if stored.definition.objective.goal == "maximize" else min
    return {
        "proposals": len(proposals),
        "carried_out": len(outcomes),
        "ok": len(values),
        "best": pick(values) if values else None,
        "new_bests": sum(p["became_best"]["then"] for p in proposals),
        "predicted": len(predicted),
        "within": sum(z <= 2 for z in predicted),
    }


def _main(sources: Counter[Source]) -> Source:
    """What mostly spoke there: a model's seat stays one when rules had to answer now and then."""
    return "model" if sources["model"] else sources.most_common(1)[0][0]


def _weights(history: History) -> list[dict[str, float]]:
    """Voter → weight as it was before each cycle, and now."""
    last = history.last_finished_cycle
    return [{n: r.weight for n, r in history.track_records("voter", before=c).items()} for c in range(1, last + 2)]
