"""Generator, discriminator and agitator with a language model: engines behind the assistants, rules beneath each.

What the syntax proves stands above what a model says: a summary that the rules contradict is not taken, and a model can
lower a reward where the rules cannot judge, never raise one.  It is not asked for a number.  Without an answer the
engine of rules has spoken, and a note says why.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel

from agents.feedback.agitator import agitate
from agents.feedback.assistants import AgitatorEngine, DiscriminatorEngine, GeneratorEngine
from agents.feedback.discriminator import CONTRADICTED_COST, judge_annotation
from agents.feedback.fact_records import FunctionFacts
from agents.feedback.facts import module_facts
from agents.feedback.file_score import function_source, score_comments
from agents.feedback.generator import generate
from agents.feedback.model_answers import AdviceAnswer, ClaimsAnswer, SummariesAnswer
from agents.feedback.records import (
    AgitatorFeedback,
    CodeComments,
    Directive,
    DiscriminatorScore,
    Issue,
    ScopeSummary,
    Statement,
)
from core.errors import ModelError
from core.models import Check, Prompt
from prompts import render

__all__ = ["Ask", "model_agitator", "model_discriminator", "model_generator"]

A = TypeVar("A", bound=BaseModel)

BATCH = 6
"""Functions of one question."""
BATCH_CHARACTERS = 6000
CLAIMS = 12
"""Summaries that one question judges, besides the planted one."""
LETTERS = string.ascii_uppercase


class Ask:
    """A model asked from plain code, which waits for the answer.  `wait` runs the coroutine and answers its result."""

    def __init__(self, ask: Callable[..., Any], wait: Callable[[Any], Any]) -> None:
        self._ask = ask
        self._wait = wait

    def __call__(self, prompt: Prompt, answer: type[A], check: Check | None = None) -> A:
        """Raises what the model raises."""
        told: A = self._wait(self._ask(prompt, answer, check))
        return told


@dataclass(frozen=True)
class _Scope:
    """A function that is summarised, its facts, and its source without the docstring."""

    summary: ScopeSummary
    facts: FunctionFacts
    source: str


def model_generator(ask: Ask, guidance: Callable[[str], Sequence[str]] | None = None) -> GeneratorEngine:
    """The rules' draft, its summaries of functions bettered by the model.

    `guidance` is what people asked for a file, in words; here it is followed as it stands.
    """

    def engine(path: str, code: str, directives: Sequence[Directive]) -> CodeComments:
        draft = generate(path, code, directives)
        better: dict[tuple[str, int], ScopeSummary] = {}
        notes: list[str] = []
        for batch in _batches(_scopes(code, draft)):
            try:
                better |= _summaries(ask, batch, guidance(path) if guidance else ())
            except ModelError as error:
                notes.append(f"by rules: {error.what}")
                break
        if not better and not notes:
            return draft
        summaries = tuple(better.get((one.name, one.line), one) for one in draft.summaries)
        return draft.model_copy(update={"summaries": summaries, "notes": (*draft.notes, *notes)})

    return engine


def _summaries(ask: Ask, batch: Sequence[_Scope], guidance: Sequence[str]) -> dict[tuple[str, int], ScopeSummary]:
    by_name = {scope.facts.qualname: scope for scope in batch}

    def faults(answer: SummariesAnswer) -> list[str]:
        odd = [f"there is no function {s.name!r}" for s in answer.summaries if s.name not in by_name]
        return odd + [
            fault for s in answer.summaries if s.name in by_name for fault in _unknown(s.text, by_name[s.name])
        ]

    asked = render(
        "generator/summaries",
        functions="\n\n".join(f"# {name}\n{scope.source}" for name, scope in by_name.items()),
        guidance="\n".join(guidance) or "nothing in particular",
    )
    taken: dict[tuple[str, int], ScopeSummary] = {}
    for told in ask(asked, SummariesAnswer, faults).summaries:
        scope = by_name[told.name]
        bettered = _with_purpose(scope.summary, told.text)
        if _stands(bettered, scope):
            taken[scope.summary.name, scope.summary.line] = bettered
    return taken


def _stands(bettered: ScopeSummary, scope: _Scope) -> bool:
    """Whether the rules contradict nothing of it that they did not contradict before."""
    before = judge_annotation(scope.source, scope.summary.annotation, scope.facts)
    after = judge_annotation(scope.source, bettered.annotation, scope.facts)
    return after.gates["claims"] >= before.gates.get("claims", 0.0) and after.reward >= 0.5 * before.reward


def _with_purpose(summary: ScopeSummary, text: str) -> ScopeSummary:
    """The summary with the model's sentence as its purpose."""
    sentence = Statement(topic="purpose", text=text, source="model", line=summary.line, end_line=summary.end_line)
    rest = tuple(one for one in summary.statements if one.topic != "purpose")
    annotation = {**summary.annotation, "summary": text}
    return summary.model_copy(update={"statements": (sentence, *rest), "annotation": annotation})


def _unknown(text: str, scope: _Scope) -> list[str]:
    """Names in backticks that do not stand in the function."""
    known = set(re.findall(r"\w+", scope.source)) | set(scope.facts.names) | {scope.facts.name}
    return [
        f"{scope.facts.qualname}: there is no `{name}` in it"
        for name in dict.fromkeys(re.findall(r"`([A-Za-z_][\w.]*)`", text))
        if not set(name.split(".")) <= known
    ]


def model_discriminator(ask: Ask) -> DiscriminatorEngine:
    """The rules' score, lowered where the model finds a summary contradicted and quotes the line that does so.

    Among the claims one is planted that belongs to another function.  A model that calls it supported is not believed.
    """

    def engine(code: str, comments: CodeComments) -> DiscriminatorScore:
        score = score_comments(code, comments)
        scopes = [one for one in _scopes(code, comments) if _purpose(one.summary)][:CLAIMS]
        if not scopes:
            return score
        claims, planted = _claims(scopes)
        try:
            answer = ask(_question(claims), ClaimsAnswer, lambda told: _claim_faults(told, claims))
        except ModelError as error:
            return score.model_copy(update={"engine": f"rules ({error.what})"})
        if any(v.label == planted and v.verdict == "supported" for v in answer.verdicts):
            return score.model_copy(update={"engine": "rules (the model called a false claim true)"})
        wrong = [
            (claims[v.label][0], v.quote)
            for v in answer.verdicts
            if v.verdict == "contradicted" and v.label != planted and _stands_in(v.quote, claims[v.label][0].source)
        ]
        return _lowered(score, wrong, sum(one.scope == "function" for one in comments.summaries))

    return engine


def _lowered(score: DiscriminatorScore, wrong: Sequence[tuple[_Scope, str]], functions: int) -> DiscriminatorScore:
    """The score with each contradicted function counting next to nothing, as where the rules contradict one."""
    lost = len(wrong) / max(1, functions) * (1 - CONTRADICTED_COST)
    issues = [
        Issue(
            kind="contradicted_summary", message=f"the code of {scope.facts.qualname} says otherwise",
            evidence=quote.strip(), fix="state it as the code has it", line=scope.facts.line,
            scope=scope.facts.qualname, weight=min(1.0, lost), directive="header",
        )
        for scope, quote in wrong
    ]  # fmt: skip
    return score.model_copy(
        update={
            "accuracy": score.accuracy * (1 - lost),
            "reward": score.reward * (1 - lost),
            "issues": (*issues, *score.issues),
            "engine": "model",
        }
    )


def _claims(scopes: Sequence[_Scope]) -> tuple[dict[str, tuple[_Scope, str]], str]:
    """Letter → function and claim, and the letter of the planted one (empty where no other function is at hand)."""
    claims = {LETTERS[i]: (scope, _purpose(scope.summary)) for i, scope in enumerate(scopes)}
    if len(scopes) < 2:
        return claims, ""
    letter = LETTERS[len(scopes)]
    false = render("discriminator/planted", function=scopes[-1].facts.name).user
    return {**claims, letter: (scopes[0], false)}, letter


def _question(claims: dict[str, tuple[_Scope, str]]) -> Prompt:
    sources = {scope.facts.qualname: scope.source for scope, _ in claims.values()}
    return render(
        "discriminator/claims",
        functions="\n\n".join(f"# {name}\n{source}" for name, source in sources.items()),
        claims="\n".join(f"{letter}: {scope.facts.qualname}: {claim}" for letter, (scope, claim) in claims.items()),
    )


def _claim_faults(answer: ClaimsAnswer, claims: dict[str, tuple[_Scope, str]]) -> list[str]:
    faults = [f"there is no claim {v.label!r}" for v in answer.verdicts if v.label not in claims]
    return faults + [
        f"{v.label}: quote the line of the function that contradicts it, word for word"
        for v in answer.verdicts
        if v.label in claims and v.verdict == "contradicted" and not _stands_in(v.quote, claims[v.label][0].source)
    ]


def _stands_in(quote: str, source: str) -> bool:
    """Whether the quote is a line of the source, or a part of one."""
    line = " ".join(quote.split())
    return len(line) >= 3 and any(line in " ".join(one.split()) for one in source.splitlines())


def model_agitator(ask: Ask) -> AgitatorEngine:
    """The rules' plan, and the model's words for what to better.  Directives and the end stay the rules'."""

    def engine(score: DiscriminatorScore, **context: Any) -> AgitatorFeedback:
        advice = agitate(score, **context)
        if advice.stop:
            return advice
        try:
            answer = ask(_advice_question(score, advice, context.get("human", ())), AdviceAnswer)
        except ModelError as error:
            return advice.model_copy(update={"engine": f"rules ({error.what})"})
        said = tuple(dict.fromkeys((*advice.guidance, *answer.guidance)))
        prompt = " ".join((advice.prompt, *answer.guidance)).strip()
        return advice.model_copy(update={"guidance": said, "prompt": prompt, "engine": "model"})

    return engine


def _advice_question(score: DiscriminatorScore, advice: AgitatorFeedback, human: Iterable[str]) -> Prompt:
    issues = "\n".join(f"line {i.line}: {i.message} ({i.evidence}); {i.fix}" for i in score.issues[:12])
    return render(
        "agitator/advice",
        issues=issues or "none",
        plan="\n".join(advice.plan) or "none",
        human="\n".join(human) or "nothing",
    )


def _scopes(code: str, comments: CodeComments) -> list[_Scope]:
    facts = {(f.qualname, f.line): f for f in module_facts(code).functions if f.kind != "nested"}
    lines = code.split("\n")
    return [
        _Scope(one, found, function_source(lines, found))
        for one in comments.summaries
        if one.scope == "function" and (found := facts.get((one.name, one.line))) is not None
    ]


def _batches(scopes: Sequence[_Scope]) -> list[list[_Scope]]:
    """In order, bounded in number and size; a function that is larger than a question is left to the rules."""
    batches: list[list[_Scope]] = [[]]
    size = 0
    for scope in scopes:
        length = len(scope.source)
        if length > BATCH_CHARACTERS:
            continue
        if len(batches[-1]) == BATCH or size + length > BATCH_CHARACTERS:
            batches.append([])
            size = 0
        batches[-1].append(scope)
        size += length
    return [batch for batch in batches if batch]


def _purpose(summary: ScopeSummary) -> str:
    return str(summary.annotation.get("summary") or "")
