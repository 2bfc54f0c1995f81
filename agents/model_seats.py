"""The council with a language model: the seats that are added to a campaign's own, and what they will ask for."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

import agents.answers
from agents.personas import DISSENTER
from agents.supervisors.reviewed import REJECTIONS
from core.campaign import Council, Use
from core.models import ChatCall, Message
from prompts import PromptFile, load
from runtime.models.asking import MOST_REPEATED
from runtime.models.tokens import most_input_tokens

__all__ = ["PERSONAS", "Estimate", "estimate", "with_model_seats"]

PERSONAS = ("research", "creative", "critical", "summariser", DISSENTER)
"""The dissenter sits in every council with a model."""
PROPOSERS = ("analogy", "idea")
CODE_PROPOSERS = ("rewrite",)
"""Where candidates of code are judged."""
WRAPPED = {"director": "advised", "supervisor": "reviewed", "historian": "reflective"}


def with_model_seats(council: Council, kind: str = "experiment") -> Council:
    """The council of a campaign of that kind with a model at every role: its own seats stay, what it lacks is added.

    Director, supervisor and historian are wrapped: the model advises, the campaign's own role decides without it.  On a
    live service the model drafts, and sharpens comments; what goes live is voted on by what was measured.
    """
    if kind == "live":
        return council
    proposers = [use.use for use in council.proposers]
    added = CODE_PROPOSERS if kind == "code" else PROPOSERS
    seated = {use.parameters.get("persona", "critical") for use in council.voting if use.use == "persona"}
    wanted = PERSONAS if not seated else (DISSENTER,)
    return council.model_copy(
        update={
            **{role: _wrapped(getattr(council, role), name) for role, name in WRAPPED.items()},
            "proposers": (*council.proposers, *(Use(use=name) for name in added if name not in proposers)),
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
    """Calls and tokens (read and written) of one cycle, at most."""

    calls: int
    tokens: int


def estimate(council: Council, repairs: int = 0) -> Estimate:
    """What a cycle of this council asks of models at most, by the bounds of its prompts.

    `repairs`: so many times every answer may be sent back.  A token has at least two characters, as the meter of a run
    reserves; scripts with several bytes a character may take more.
    """
    wanted = [load(name) for name in _prompts(council)]
    tokens = sum(_most_tokens(file, repairs) for file in wanted)
    return Estimate(len(wanted) * (1 + repairs), tokens)


def _prompts(council: Council) -> list[str]:
    """The names of the prompts of a cycle, one a call."""
    personas = [use.parameters.get("persona", "critical") for use in council.voting if use.use == "persona"]
    # every accepted proposal is reviewed, and each rejection lets another one come up
    reviews = council.jobs_per_cycle + int(council.supervisor.parameters.get("rejections", REJECTIONS))
    return [
        # beside the direction, a sentence of guidance that rules do not understand
        *(["director/direction", "director/guidance"] if council.director.use == "advised" else []),
        *(f"proposer/{use.use}" for use in council.proposers if use.use in PROPOSERS),
        # the longest of the three that it takes turns with
        *("proposer/recombine" for use in council.proposers if use.use in CODE_PROPOSERS),
        *("voter/dissent" if name == DISSENTER else "voter/judgement" for name in personas),
        *(["supervisor/review"] * reviews if council.supervisor.use == "reviewed" else []),
        *(["historian/reflection"] if council.historian.use == "reflective" else []),
    ]


def _most_tokens(file: PromptFile, repairs: int) -> int:
    answer: type[BaseModel] = getattr(agents.answers, file.answer)
    text = Message(role="user", text="x" * file.most_characters)
    # what is sent back: the answer as it was, and its faults
    back = Message(role="user", text="x" * (MOST_REPEATED + load("common/repair").most_characters))
    first = ChatCall(model_id="", messages=(text,), answer_schema=answer.model_json_schema())
    again = first.model_copy(update={"messages": (text, back)})
    return most_input_tokens(first) + repairs * most_input_tokens(again) + (1 + repairs) * file.max_tokens
