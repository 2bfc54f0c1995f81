"""The agitator with a language model: the rules' plan, and the model's words for what to better.

The model may say which of the directives that are expected to gain go first.  It adds none, drops none that a human
asked for, and does not decide when to stop.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from agents.feedback.agitator import agitate
from agents.feedback.assistants import AgitatorEngine
from agents.feedback.blocking import BlockingModel
from agents.feedback.guidance import DIRECTIVE_TEXT, parse_guidance
from agents.feedback.model_answers import AdviceAnswer
from agents.feedback.model_generator import Render
from agents.feedback.model_guards import one_line
from agents.feedback.records import AgitatorFeedback, DiscriminatorScore
from core.errors import ModelAnswerError, ModelError

__all__ = ["model_agitator"]

SHOWN_ISSUES = 12


def model_agitator(model: BlockingModel, render: Render, *, reads: bool = True) -> AgitatorEngine:
    """An engine that adds guidance in words to the rules' advice.

    `reads`: the generator has a model and is given people's sentences as they stand, so that none is unmet.
    """

    def engine(score: DiscriminatorScore, **context: Any) -> AgitatorFeedback:
        advice = agitate(score, **context)
        if reads:
            advice = advice.model_copy(update={"unmet": ()})
        if advice.stop:
            return advice
        every = agitate(score, **{**context, "limit": len(DIRECTIVE_TEXT)})
        offered = [each.name for each in every.directives if each.origin != "human"]
        try:
            said = _ask(model, render, score, advice, offered, context)
        except ModelError as error:
            return advice.model_copy(update={"notes": (f"rules alone: {one_line(error.what)}",)})
        picked = [name for name in said.directives if name in offered]
        unmet = advice.unmet
        advice = agitate(score, **context, prefer=picked)
        words = _kept(said.guidance, score, context)
        guidance = tuple(dict.fromkeys((*advice.guidance, *words)))
        prompt = "\n".join((advice.prompt, *(f"- {text}" for text in words)))
        return advice.model_copy(update={"guidance": guidance, "prompt": prompt, "unmet": unmet, "engine": "model"})

    return engine


def _ask(
    model: BlockingModel,
    render: Render,
    score: DiscriminatorScore,
    advice: AgitatorFeedback,
    offered: Sequence[str],
    context: dict[str, Any],
) -> AdviceAnswer:
    last: list[AdviceAnswer] = []

    def faults(answer: AdviceAnswer) -> list[str]:
        last[:] = [answer]
        odd = [f"{name!r} is none of the directives" for name in answer.directives if name not in offered]
        return odd + [fault for text in answer.guidance if (fault := _fault(text, score, context))]

    prompt = render(
        "agitator/advice",
        issues="\n".join(_told(score)) or "none",
        plan="\n".join(advice.plan) or "none",
        directives=", ".join(offered) or "none",
        human="\n".join(context.get("human") or ()) or "nothing",
        recalled="\n".join(context.get("recalled") or ()) or "nothing",
    )
    try:
        return model(prompt, AdviceAnswer, faults)
    except ModelAnswerError:
        if not last:
            raise
        return last[0]


def _told(score: DiscriminatorScore) -> list[str]:
    return [f"line {i.line}: {i.message} ({i.evidence}); {i.fix}" for i in score.issues[:SHOWN_ISSUES]]


def _kept(guidance: Sequence[str], score: DiscriminatorScore, context: dict[str, Any]) -> list[str]:
    return [one_line(text) for text in guidance if not _fault(text, score, context)]


def _fault(text: str, score: DiscriminatorScore, context: dict[str, Any]) -> str:
    """Why a sentence is not passed on: a name that stands in no issue, or the opposite of what people asked for."""
    human = list(context.get("human") or ())
    known = set(re.findall(r"\w+", " ".join([*_told(score), *human])))
    strange = [name for name in re.findall(r"`([\w.]+)`", text) if not set(name.split(".")) <= known]
    if strange:
        return f"`{strange[0]}` stands in none of the issues"
    if not all(character.isprintable() for character in one_line(text)):
        return "write plain words"
    wanted = {each.name: each.wanted for sentence in human for each in parse_guidance(sentence)[0]}
    against = [each.name for each in parse_guidance(text)[0] if wanted.get(each.name, each.wanted) != each.wanted]
    return f"people asked for the opposite on {against[0]}" if against else ""
