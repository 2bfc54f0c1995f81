"""Claims of a comment and what the code says to them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

__all__ = ["Claim", "Status"]

Status = Literal["supported", "contradicted", "unsupported", "unverifiable"]


class Claim(BaseModel):
    """One checkable statement. Only `contradicted` and `unsupported` cost; `unverifiable` is what only a callee or a
    caller could settle."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["summary", "param", "default", "type", "reference", "return", "raise", "effect", "absence"]
    text: str
    status: Status
    line: int
    evidence: str = ""
    fix: str = ""
    doubt: float | None = None
    """Probability in 0..1 that the claim is wrong, where a fitted judge gives one."""
