"""The forms of the answers that the feedback loop asks of a language model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["AdviceAnswer", "ClaimsAnswer", "SummariesAnswer"]

Text = Annotated[str, Field(min_length=1, max_length=600)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Summary(_Answer):
    name: Name
    text: Text


class SummariesAnswer(_Answer):
    summaries: list[Summary] = Field(min_length=1, max_length=20)


class ClaimVerdict(_Answer):
    label: Annotated[str, Field(min_length=1, max_length=3)]
    verdict: Literal["supported", "contradicted", "cannot tell"]
    quote: str = Field(default="", max_length=400)


class ClaimsAnswer(_Answer):
    verdicts: list[ClaimVerdict] = Field(min_length=1, max_length=40)


class AdviceAnswer(_Answer):
    guidance: list[Text] = Field(min_length=1, max_length=5)
