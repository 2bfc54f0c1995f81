"""The council with a language model: the seats that are added to a campaign's own, and what they will ask for."""

from __future__ import annotations

from dataclasses import dataclass

from core.campaign import Council, Use
from prompts import load

__all__ = ["PERSONAS", "Estimate", "estimate", "with_model_seats"]

PERSONAS = ("research", "creative", "critical", "summariser", "dissenter")
"""The dissenter sits in every council with a model."""
PROPOSERS = ("analogy", "idea")
WRAPPED = {"director": "advised", "supervisor": "reviewed", "historian": "reflective"}
CHARACTERS_PER_TOKEN = 3.0


def with_model_seats(council: Council) -> Council:
    """The council with a model at every role: its own seats stay, and those that it lacks are added.

    Director, supervisor and historian are wrapped: the model advises, the campaign's own role decides without it.
    """
    proposers = [use.use for use in council.proposers]
    seated = {use.parameters.get("persona", "critical") for use in council.voting if use.use == "persona"}
    wanted = PERSONAS if not seated else ("dissenter",)
    return council.model_copy(
        update={
            **{role: _wrapped(getattr(council, role), name) for role, name in WRAPPED.items()},
            "proposers": (*council.proposers, *(Use(use=name) for name in PROPOSERS if name not in proposers)),
            "voting": (
                *council.voting,
                *(_persona(name) for name in wanted if name not in seated),
            ),
        }
    )


def _persona(name: str) -> Use:
    return Use.model_validate({"use": "persona", "persona": name})


def _wrapped(own: Use, name: str) -> Use:
    """The wrapping role around one of ours without parameters; any other stays as the campaign has it."""
    ours = {"advised": "thresholds", "reviewed": "gatekeeper", "reflective": "chronicler"}
    if own.use != ours[name] or own.parameters:
        return own
    return Use(use=name, model=own.model)


@dataclass(frozen=True)
class Estimate:
    """Calls and tokens of one cycle, at most, repairs left out."""

    calls: int
    tokens: int


def estimate(council: Council) -> Estimate:
    """What a cycle of this council asks of models at most, by the bounds of its prompts."""
    jobs = council.jobs_per_cycle
    asked = [
        *(["director/direction"] if council.director.use == "advised" else []),
        *(f"proposer/{use.use}" for use in council.proposers if use.use in PROPOSERS),
        *(
            "voter/dissent" if use.parameters.get("persona") == "dissenter" else "voter/judgement"
            for use in council.voting
            if use.use == "persona"
        ),
        *(["supervisor/review"] * jobs if council.supervisor.use == "reviewed" else []),
        *(["historian/reflection"] if council.historian.use == "reflective" else []),
    ]
    files = [load(name) for name in asked]
    return Estimate(len(files), sum(round(f.most_characters / CHARACTERS_PER_TOKEN) + f.max_tokens for f in files))
