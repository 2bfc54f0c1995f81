"""The discriminator with a language model: the rules' score, lowered where the model finds a claim contradicted.

    claims that the rules cannot settle + two planted ones ──model──▶ verdict and quoted line, claim by claim

A verdict counts where its quote is a line of the code.  One planted claim is known to be false, one to be true; a judge
who takes either for its opposite is not believed for that file.  The model is asked for no number, and nothing that it
says raises one: a reward is the rules', times `DOUBTED_COST` for each function whose comment it found wrong.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from dataclasses import dataclass, field

from agents.feedback.assistants import DiscriminatorEngine
from agents.feedback.blocking import BlockingModel
from agents.feedback.claims import Claim
from agents.feedback.discriminator import judge_annotation
from agents.feedback.file_score import DOUBTED_COST, score_comments
from agents.feedback.model_answers import ClaimsAnswer
from agents.feedback.model_generator import Render
from agents.feedback.model_guards import code_lines, one_line
from agents.feedback.model_scopes import Scope, batches, scopes, shown
from agents.feedback.records import CodeComments, DiscriminatorScore, Issue
from core.errors import ModelAnswerError, ModelError
from core.ids import content_hash

__all__ = ["model_discriminator"]

CLAIMS_A_SCOPE = 3
"""Of one function; six of them and the planted ones have a letter each."""
MAX_CLAIM = 400
MAX_REMEMBERED = 5000
GHOSTS = ("timeout_s", "encoding", "verbose", "retries", "callback")
"""Names for a parameter that is not there, where no other function of the file lends one."""


@dataclass(frozen=True)
class _Asked:
    scope: Scope
    text: str
    planted: bool | None = None
    """What is known of it beforehand; None for what is really asked."""

    @property
    def key(self) -> str:
        return content_hash([self.scope.source, self.text])


@dataclass
class _Memory:
    """Claim → the line that contradicts it, None where none does: what a judge said once is said for all rounds.

    Else a reward would rise in the round in which the judge falls silent.
    """

    quotes: dict[str, str | None] = field(default_factory=dict)

    def keep(self, found: dict[str, str | None]) -> None:
        if len(self.quotes) + len(found) > MAX_REMEMBERED:
            self.quotes.clear()
        self.quotes |= found


class _NotBelievedError(Exception):
    """A planted claim was taken for its opposite."""


def model_discriminator(model: BlockingModel, render: Render) -> DiscriminatorEngine:
    """An engine whose reward is at most the rules', with the same answer for the same claim in every round."""
    memory = _Memory()

    def engine(code: str, comments: CodeComments) -> DiscriminatorScore:
        found = scopes(code, comments)
        claims = [claim for scope in found for claim in _open_claims(scope)]
        notes = []
        spoke = True
        fresh = [claim for claim in claims if claim.key not in memory.quotes]
        try:
            heard, left = _hear(model, render, fresh, found)
            memory.keep(heard)
            notes += [f"{left} claims were not put to the model: too many, or too long"] if left else []
        except ModelError as error:
            spoke = False
            notes.append(f"rules alone: {one_line(error.what)}")
        except _NotBelievedError as error:
            spoke = False
            notes.append(f"rules alone: {error}")
        settled = [(claim, memory.quotes[claim.key]) for claim in claims if claim.key in memory.quotes]
        if not spoke and any(quote for _, quote in settled):
            notes.append("what the model found wrong in earlier rounds still counts")
        doubted: dict[tuple[str, int], list[Issue]] = {}
        for claim, quote in settled:
            if quote:
                doubted.setdefault(claim.scope.key, []).append(_issue(claim, quote))
        score = score_comments(code, comments, doubted=doubted)
        return score.model_copy(
            update={
                "claims": tuple(_claim(claim, quote) for claim, quote in settled),
                "engine": "model" if spoke and settled else "rules",
                "notes": tuple(notes),
            }
        )

    return engine


def _open_claims(scope: Scope) -> list[_Asked]:
    """What the rules cannot settle of a function's comment: its words, unless they contradict them already."""
    annotation = scope.summary.annotation
    judged = judge_annotation(scope.source, annotation, scope.facts)
    if any(claim.status == "contradicted" and claim.kind in ("summary", "absence") for claim in judged.claims):
        return []
    facts = " ".join(one.text for one in scope.summary.statements if one.source == "fact" and one.topic != "purpose")
    texts = [str(annotation.get("summary") or "")]
    details = str(annotation.get("details") or "")
    if details and details not in facts:
        texts.append(details)
    texts += [f"{one.kind} {one.text}" for one in judged.claims if one.status in ("unverifiable", "unsupported")]
    told = dict.fromkeys(one_line(text)[:MAX_CLAIM] for text in texts if text.strip())
    return [_Asked(scope, text) for text in list(told)[:CLAIMS_A_SCOPE]]


def _hear(
    model: BlockingModel, render: Render, claims: Sequence[_Asked], found: Sequence[Scope]
) -> tuple[dict[str, str | None], int]:
    """Claim → contradicting line or None, of all batches or of none; and how many claims fit into no batch."""
    wanted = {claim.scope.key for claim in claims}
    asked, left = batches([scope for scope in found if scope.key in wanted])
    heard: dict[str, str | None] = {}
    for batch in asked:
        keys = {scope.key for scope in batch}
        mine = [claim for claim in claims if claim.scope.key in keys]
        heard |= _judged(model, render, batch, [*mine, *_planted(render, batch, found)])
    lost = {scope.key for scope in left}
    return heard, sum(claim.scope.key in lost for claim in claims)


def _judged(
    model: BlockingModel, render: Render, batch: Sequence[Scope], claims: Sequence[_Asked]
) -> dict[str, str | None]:
    # in an order that says nothing of which are planted
    lettered = dict(zip(string.ascii_uppercase, sorted(claims, key=lambda claim: claim.key), strict=False))
    last: list[ClaimsAnswer] = []

    def faults(answer: ClaimsAnswer) -> list[str]:
        last[:] = [answer]
        said = {verdict.label for verdict in answer.verdicts}
        odd = [f"there is no claim {label!r}" for label in sorted(said - set(lettered))]
        missing = [f"claim {label} has no verdict" for label in lettered if label not in said]
        unquoted = [
            f"{v.label}: quote the line of the function that contradicts it, word for word"
            for v in answer.verdicts
            if v.label in lettered and v.verdict == "contradicted" and not _quoted(v.quote, lettered[v.label].scope)
        ]
        return [*odd, *missing, *unquoted]

    prompt = render(
        "discriminator/claims",
        functions=shown(batch),
        claims="\n".join(f"{letter}: {claim.scope.label}: {claim.text}" for letter, claim in lettered.items()),
    )
    try:
        answer = model(prompt, ClaimsAnswer, faults)
    except ModelAnswerError:
        if not last:
            raise
        answer = last[0]
    verdicts = {v.label: v for v in answer.verdicts}
    heard: dict[str, str | None] = {}
    for letter, claim in lettered.items():
        said = verdicts.get(letter)
        if claim.planted is not None:
            _believe(claim, said.verdict if said else "")
        elif said is not None:
            quote = _quoted(said.quote, claim.scope)
            if said.verdict != "contradicted" or quote:  # a contradiction without its line is no answer
                heard[claim.key] = quote if said.verdict == "contradicted" else None
    return heard


def _believe(claim: _Asked, verdict: str) -> None:
    """Raises where the judge takes a claim of known truth for its opposite, or leaves it out."""
    if not verdict:
        raise _NotBelievedError("the model did not judge all that it was asked")
    if claim.planted is False and verdict == "supported":
        raise _NotBelievedError(f"the model called a false claim true ({claim.text})")
    if claim.planted is True and verdict == "contradicted":
        raise _NotBelievedError(f"the model called a true claim false ({claim.text})")


def _planted(render: Render, batch: Sequence[Scope], found: Sequence[Scope]) -> list[_Asked]:
    """A claim that is false and, where a function of the batch has a parameter, one that is true."""
    strict = [s for s in batch if not any(p.kind == "var_keyword" for p in s.facts.params)] or list(batch)
    liar = min(strict, key=lambda scope: content_hash([scope.source, "false"]))
    words = {word.lower() for word in re.findall(r"\w+", liar.source)}
    names = sorted({param.name for scope in found for param in scope.facts.visible_params})
    ghost = next((name for name in (*names, *GHOSTS) if name.lower() not in words), "unheard_of")
    planted = [_Asked(liar, render("discriminator/planted", name=ghost).user, planted=False)]
    having = [scope for scope in batch if scope.facts.visible_params]
    if having:
        honest = min(having, key=lambda scope: content_hash([scope.source, "true"]))
        name = honest.facts.visible_params[-1].name
        planted.append(_Asked(honest, render("discriminator/planted", name=name).user, planted=True))
    return planted


def _quoted(quote: str, scope: Scope) -> str:
    """The line of code that the quote is, or is at least half of; empty where there is none."""
    said = next(iter(code_lines(quote)), "")
    if len(said) < 3:
        return ""
    return next((line for line in code_lines(scope.source) if said in line and 2 * len(said) >= len(line)), "")


def _issue(claim: _Asked, quote: str) -> Issue:
    return Issue(
        kind="contradicted_summary", message=f"the code of {claim.scope.label} says otherwise: {claim.text[:80]!r}",
        evidence=quote, fix="state it as the code has it", line=claim.scope.facts.line,
        scope=claim.scope.facts.qualname, weight=1 - DOUBTED_COST, directive="header",
    )  # fmt: skip


def _claim(claim: _Asked, quote: str | None) -> Claim:
    """The verdict as a record."""
    return Claim(
        kind="summary", text=claim.text, status="contradicted" if quote else "unverifiable",
        line=claim.scope.facts.line, evidence=quote or "",
    )  # fmt: skip
