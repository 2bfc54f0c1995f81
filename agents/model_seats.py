"""The council with a language model: the seats that are added to a campaign's own, and what they will ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel

import agents.answers
from agents.personas import DISSENTER, models_of_personas, persona_model
from agents.supervisors.reviewed import REJECTIONS
from core.campaign import Campaign, Council, ModelRole, Use
from core.models import ChatCall, Message
from prompts import PromptFile, load
from runtime.models.asking import MOST_REPEATED
from runtime.models.tokens import most_input_tokens

__all__ = ["NONE", "PERSONAS", "Estimate", "asked_models", "estimate", "seat_model", "with_model_seats"]

PERSONAS = ("research", "creative", "critical", "summariser", DISSENTER)
"""The dissenter sits in every council with a model."""
PROPOSERS = ("analogy", "idea")
CODE_PROPOSERS = ("rewrite",)
"""Where candidates of code are judged."""
WRAPPED: dict[ModelRole, str] = {"director": "advised", "supervisor": "reviewed", "historian": "reflective"}
NONE = "none"

ModelOf = Callable[[ModelRole, Use], str]
"""The model of a role's seat, `none` where it has none."""


def _any_model(_role: ModelRole, _seat: Use) -> str:
    """A model for everybody, whichever."""
    return "auto"


def seat_model(campaign: Campaign, role: ModelRole, seat: Use) -> str:
    """Which model a seat is to ask, as named: the persona's own, else the seat's, the role's, the campaign's.

    Raises ConfigError and NotFoundError for a wrong file of personas.
    """
    return persona_model(seat, Path(campaign.here)) or campaign.model_of(role, seat)


def asked_models(campaign: Campaign) -> list[str]:
    """Every model that the campaign and the personas in its council name, as asked.

    Raises ConfigError and NotFoundError for a wrong file of personas.
    """
    return list(dict.fromkeys((*campaign.models(), *models_of_personas(campaign.council, Path(campaign.here)))))


def with_model_seats(council: Council, kind: str = "experiment", model_of: ModelOf = _any_model) -> Council:
    """The council of a campaign of that kind with a model at every role that has one: its own seats stay, what it lacks
    is added.

    Director, supervisor and historian are wrapped: the model advises, the campaign's own role decides without it.  On a
    live service the model drafts, and sharpens comments; what goes live is voted on by what was measured.
    """
    if kind == "live":
        return council
    proposers = [use.use for use in council.proposers]
    added = [Use(use=name) for name in (CODE_PROPOSERS if kind == "code" else PROPOSERS) if name not in proposers]
    wrapped: dict[str, Use] = {
        role: _wrapped(own, name)
        for role, name in WRAPPED.items()
        if model_of(role, own := getattr(council, role)) != NONE
    }
    return council.model_copy(
        update={
            **wrapped,
            "proposers": (*council.proposers, *(use for use in added if model_of("proposer", use) != NONE)),
            "voting": (*council.voting, *_personas(council, model_of)),
        }
    )


def _personas(council: Council, model_of: ModelOf) -> list[Use]:
    """The personas that the voters lack; beside one with a model of its own, a dissenter with that."""
    own = [use for use in council.voting if use.use == "persona"]
    seated = {use.parameters.get("persona", "critical") for use in own}
    wanted = [_persona(name) for name in (PERSONAS if not own else (DISSENTER,)) if name not in seated]
    if all(model_of("voter", use) != NONE for use in wanted):
        return wanted
    others = [use.model for use in own if use.model and model_of("voter", use) != NONE]
    return [_persona(DISSENTER, others[0])] if others and DISSENTER not in seated else []


def _persona(name: str, model: str = "") -> Use:
    return Use.model_validate({"use": "persona", "persona": name, "model": model})


def _wrapped(own: Use, name: str) -> Use:
    """The wrapping role around one of ours without parameters; any other stays as the campaign has it."""
    ours = {"advised": "thresholds", "reviewed": "gatekeeper", "reflective": "chronicler"}
    if own.use != ours[name] or own.parameters:
        return own
    return Use(use=name, model=own.model)


@dataclass(frozen=True)
class Estimate:
    """Calls and tokens (read and written) of one cycle, at most; `models`: the tokens by model."""

    calls: int
    tokens: int
    models: Mapping[str, int] = field(default_factory=dict)


def estimate(council: Council, repairs: int = 0, model_of: ModelOf = _any_model) -> Estimate:
    """What a cycle of this council asks of models at most, by the bounds of its prompts.

    `repairs`: so many times every answer may be sent back.  A token has at least two characters, as the meter of a run
    reserves; scripts with several bytes a character may take more.
    """
    models: dict[str, int] = {}
    wanted = [(model, name) for model, name in _prompts(council, model_of) if model != NONE]
    for model, name in wanted:
        models[model] = models.get(model, 0) + _most_tokens(load(name), repairs)
    return Estimate(len(wanted) * (1 + repairs), sum(models.values()), models)


def _prompts(council: Council, model_of: ModelOf) -> list[tuple[str, str]]:
    """The model and the name of each prompt of a cycle, one a call."""
    director, supervisor, historian = council.director, council.supervisor, council.historian
    # every accepted proposal is reviewed, and each rejection lets another one come up
    reviews = council.jobs_per_cycle + int(supervisor.parameters.get("rejections", REJECTIONS))
    told: list[tuple[ModelRole, Use, str]] = [
        # beside the direction, a sentence of guidance that rules do not understand
        *(("director", director, f"director/{one}") for one in ("direction", "guidance") if director.use == "advised"),
        *(("proposer", use, f"proposer/{use.use}") for use in council.proposers if use.use in PROPOSERS),
        # the longest of the three that it takes turns with
        *(("proposer", use, "proposer/recombine") for use in council.proposers if use.use in CODE_PROPOSERS),
        *(("voter", use, f"voter/{_judgement(use)}") for use in council.voting if use.use == "persona"),
        *(("supervisor", supervisor, "supervisor/review") for _ in range(reviews) if supervisor.use == "reviewed"),
        *(("historian", historian, "historian/reflection") for _ in range(historian.use == "reflective")),
    ]
    return [(model_of(role, use), prompt) for role, use, prompt in told]


def _judgement(use: Use) -> str:
    return "dissent" if use.parameters.get("persona") == DISSENTER else "judgement"


def _most_tokens(file: PromptFile, repairs: int) -> int:
    answer: type[BaseModel] = getattr(agents.answers, file.answer)
    text = Message(role="user", text="x" * file.most_characters)
    # what is sent back: the answer as it was, and its faults
    back = Message(role="user", text="x" * (MOST_REPEATED + load("common/repair").most_characters))
    first = ChatCall(model_id="", messages=(text,), answer_schema=answer.model_json_schema())
    again = first.model_copy(update={"messages": (text, back)})
    return most_input_tokens(first) + repairs * most_input_tokens(again) + (1 + repairs) * file.max_tokens
