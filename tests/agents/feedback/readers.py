"""Models for the tests of the feedback engines that answer from the prompt itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from agents.testing import ScriptedModel
from core.models import Prompt

CLAIM = re.compile(r"^([A-Z]): (\S+): (.*)$", re.MULTILINE)
PLANTED = re.compile(r"Takes a parameter called `(\w+)`\.")


def labels(prompt: Prompt) -> list[str]:
    """The functions that a prompt shows."""
    return re.findall(r"^# (\S+)$", prompt.user, re.MULTILINE)


def claims(prompt: Prompt) -> list[tuple[str, str, str]]:
    """Letter, function and text of each claim."""
    return CLAIM.findall(prompt.user)


def is_planted(text: str) -> bool:
    return PLANTED.fullmatch(text) is not None


def writer(sentences: Mapping[str, str], otherwise: str = "Keeps its place.") -> Callable[[Prompt], Any]:
    """Gives each function its sentence."""
    return lambda prompt: {"summaries": [{"name": n, "text": sentences.get(n, otherwise)} for n in labels(prompt)]}


def judge(wrong: Mapping[str, str], otherwise: str = "supported") -> Callable[[Prompt], Any]:
    """Reads signatures, and knows which claims are wrong: text → the line that says so."""

    def said(prompt: Prompt) -> Any:
        return {"verdicts": [_verdict(prompt, *claim, wrong, otherwise) for claim in claims(prompt)]}

    return said


def _verdict(
    prompt: Prompt, letter: str, name: str, text: str, wrong: Mapping[str, str], otherwise: str
) -> dict[str, str]:
    head = re.search(rf"^# {re.escape(name)}\n(?:\s*@.*\n)*\s*(def .*)$", prompt.user, re.MULTILINE)
    planted = PLANTED.fullmatch(text)
    if planted and head:
        there = planted[1] in re.findall(r"\w+", head[1])
        return {"label": letter, "verdict": "supported" if there else "contradicted", "quote": head[1]}
    if text in wrong:
        return {"label": letter, "verdict": "contradicted", "quote": wrong[text]}
    return {"label": letter, "verdict": otherwise, "quote": ""}


def says_to_all(verdict: str) -> Callable[[Prompt], Any]:
    """Says the same of every claim, with a line of its function as the quote."""

    def said(prompt: Prompt) -> Any:
        heads = dict(re.findall(r"^# (\S+)\n\s*(def .*)$", prompt.user, re.MULTILINE))
        return {"verdicts": [{"label": c, "verdict": verdict, "quote": heads[name]} for c, name, _ in claims(prompt)]}

    return said


def model(summaries: Any = None, claims: Any = None, advice: Any = None, **more: Any) -> ScriptedModel:
    """A model that says these to the three prompts; what is not given is refused."""
    told = {"generator/summaries": summaries, "discriminator/claims": claims, "agitator/advice": advice}
    return ScriptedModel({name: said for name, said in told.items() if said is not None}, **more)
