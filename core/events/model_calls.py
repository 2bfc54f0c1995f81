"""Which language models a campaign has, and what they were asked."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from core.events.event import Event

__all__ = [
    "ModelCalled",
    "ModelChosen",
]


class ModelChosen(Event):
    """Which language model `auto` came to, once a campaign; later sessions keep to it."""

    about = ("asked",)
    type: Literal["ModelChosen"] = "ModelChosen"
    asked: str
    model: str = Field(description="such as ollama:llama3.2, or none")
    reason: str


class ModelCalled(Event):
    """A language model was asked by a seat of the council: what it took, and the error where no valid answer came."""

    type: Literal["ModelCalled"] = "ModelCalled"
    call: str = Field(description="hash of everything that was asked")
    role: str
    seat: str
    prompt: str
    edition: str
    model_id: str
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    duration_s: float = 0.0
    attempts: int = 1
    repair: int = Field(default=0, description="0: the first call of an answer, 1: its first repair, …")
    source: Literal["model", "replay", "stored"] = "model"
    error: str = ""

    @property
    def subject(self) -> str:
        return f"{self.role}:{self.seat}:{self.call}" + (":failed" if self.error else "")
