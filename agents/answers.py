"""The forms of the answers that roles ask of a language model.  Bounded, so that an answer cannot flood a record."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "AnalogyAnswer",
    "Claim",
    "DirectionAnswer",
    "DissentAnswer",
    "GuidanceAnswer",
    "IdeaAnswer",
    "Judgement",
    "JudgementAnswer",
    "MeaningAnswer",
    "PlanAnswer",
    "ReflectionAnswer",
    "ReviewAnswer",
    "RewriteAnswer",
]

Text = Annotated[str, Field(min_length=1, max_length=1000)]
Name = Annotated[str, Field(min_length=1, max_length=100)]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Claim(_Answer):
    """A result that the answer rests on, to be compared with the ledger."""

    trial: Name
    metric: Name
    value: float = Field(allow_inf_nan=False)


Claims = Annotated[list[Claim], Field(max_length=10)]


class DirectionAnswer(_Answer):
    mode: Literal["explore", "exploit", "recover"]
    focus: list[Name] = Field(default=[], max_length=20)
    claims: Claims = []
    reason: Text


Value = float | int | bool | Name | Annotated[list[Name], Field(max_length=50)]
Changes = dict[Name, Value]


class MeaningAnswer(_Answer):
    """What a clause of guidance asks for; which fields it has depends on the kind."""

    clause: Annotated[str, Field(min_length=1, max_length=600)]
    kind: Literal["bound", "preference", "exclusion", "focus", "mode"]
    name: Annotated[str, Field(max_length=200)] = ""
    low: float | None = Field(default=None, allow_inf_nan=False)
    high: float | None = Field(default=None, allow_inf_nan=False)
    options: Annotated[list[Value], Field(max_length=50)] = []
    toward: Literal["low", "high", ""] = ""
    mode: Literal["explore", "exploit", "recover", ""] = ""


class GuidanceAnswer(_Answer):
    meanings: list[MeaningAnswer] = Field(default=[], max_length=20)


class Idea(_Answer):
    changes: Changes = Field(min_length=1, max_length=50)
    reason: Text


class IdeaAnswer(_Answer):
    proposals: list[Idea] = Field(min_length=1, max_length=5)


class Analogy(Idea):
    memories: list[Name] = Field(min_length=1, max_length=10)


class AnalogyAnswer(_Answer):
    proposals: list[Analogy] = Field(min_length=1, max_length=5)


class Edit(_Answer):
    """Lines of a file and what they become; without `search` a new file."""

    path: Annotated[str, Field(min_length=1, max_length=300)]
    search: Annotated[str, Field(max_length=20_000)] = ""
    replace: Annotated[str, Field(max_length=20_000)]


class RewriteAnswer(_Answer):
    edits: list[Edit] = Field(min_length=1, max_length=20)
    reason: Text


class Judgement(_Answer):
    label: Annotated[str, Field(min_length=1, max_length=3)]
    score: float = Field(ge=-1, le=1)
    confidence: float = Field(ge=0, le=1)
    reason: Text


class JudgementAnswer(_Answer):
    judgements: list[Judgement] = Field(min_length=1, max_length=40)


class Objection(_Answer):
    label: Annotated[str, Field(min_length=1, max_length=3)]
    reason: Text


class DissentAnswer(JudgementAnswer):
    objection: Objection


class ReviewAnswer(_Answer):
    verdict: Literal["stand", "amend", "reject"]
    changes: Changes = Field(default={}, max_length=50)
    evidence: list[Name] = Field(default=[], max_length=20)
    claims: Claims = []
    reason: Text


class Insight(_Answer):
    text: Text
    evidence: list[Name] = Field(min_length=1, max_length=20)
    claims: Claims = []


class ReflectionAnswer(_Answer):
    insights: list[Insight] = Field(default=[], max_length=3)
    plan: list[Text] = Field(default=[], max_length=10)


class PlannedStep(_Answer):
    text: Text
    lines: list[int] = Field(min_length=1, max_length=50)


class PlanAnswer(_Answer):
    """The plan behind a success: each step with the lines of the path that it rests on."""

    strategy: Text
    steps: list[PlannedStep] = Field(min_length=1, max_length=20)
    tools: list[Name] = Field(default=[], max_length=30)
