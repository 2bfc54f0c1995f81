"""Guidance: a sentence that steers a campaign, what it was understood to mean, and what came of it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from core.record import Mode, Record, Source

__all__ = [
    "MAX_CHARACTERS",
    "STAGES",
    "Door",
    "Guidance",
    "GuidanceChange",
    "GuidancePayoff",
    "GuidanceReceipt",
    "GuidanceStatus",
    "Meaning",
    "MeaningKind",
    "Target",
    "Unread",
    "WhyUnused",
]

MAX_CHARACTERS = 2000
"""Of one guidance."""

STAGES = ("director", "proposer", "voter", "supervisor", "executor", "historian")
"""The nodes of a cycle in their order; guidance is delivered at one, and heeded from there on."""

Door = Literal["cli", "session", "rest", "mcp", "library", "callback", "recall"]
"""Where it came in; `recall`: it was given to an earlier campaign, and is suggested again."""

MeaningKind = Literal["bound", "preference", "exclusion", "focus", "mode"]

Target = Literal["parameter", "metric", "file", "function", "operator", ""]
"""What a meaning is about.  An operator is a way in which code is changed, such as a named transformation."""

GuidanceStatus = Literal["queued", "delivered", "used", "unused", "dropped"]

WhyUnused = Literal["not understood", "untouched", "contradicted", "not applied", "dropped"]
"""`untouched`: no proposal of that cycle was another because of it.  `not applied`: it would leave nothing to try."""


class Meaning(Record):
    """One thing that a clause asks for, in names and values of the campaign.

    bound       `low` and `high` of a number, both included, None where open
    preference  `options` of a choice to be tried first (a number has one, its value), or the end `toward`
    exclusion   `options` of a choice that must not be tried; without options the file, function or operator itself
    focus       the parameter, metric, file or function to work on first
    mode        the direction's mode

    A bound or an exclusion is `hard`: nothing against it runs.  What memory suggests never is.
    """

    kind: MeaningKind
    target: Target = ""
    name: str = Field(default="", description="of the target; empty for a mode")
    low: float | None = None
    high: float | None = None
    options: tuple[Any, ...] = ()
    toward: Literal["low", "high", ""] = ""
    mode: Mode | Literal[""] = ""
    hard: bool = False
    clause: str = Field(default="", description="the words it was read from")
    source: Source = "rules"

    @model_validator(mode="after")
    def _whole(self) -> Meaning:
        if self.kind == "bound" and self.low is None and self.high is None:
            raise ValueError("a bound has a low or a high end")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low must not be above high: [{self.low}, {self.high}]")
        if (self.kind == "mode") != bool(self.mode):
            raise ValueError("a mode, and nothing else, says which")
        if self.hard and self.kind not in ("bound", "exclusion"):
            raise ValueError(f"a {self.kind} is never hard")
        return self

    def __str__(self) -> str:
        match self.kind:
            case "bound":
                return f"{self.name} {self._interval()}"
            case "preference" if self.low is not None or self.high is not None:
                return f"{self.name} {self._interval()} first"
            case "preference":
                return f"{self.name} {self.toward or ' or '.join(map(str, self.options))} first".lstrip()
            case "exclusion" if self.low is not None or self.high is not None:
                return f"no {self.name} {self._interval()}"
            case "exclusion":
                said = " or ".join(map(str, self.options))
                return f"no {self.name} {said}".rstrip() if said else f"no {self.target} {self.name}"
            case "focus":
                return f"focus on {self.target} {self.name}"
            case _:
                return str(self.mode)

    def _interval(self) -> str:
        """The ends as they were said: `below` ends at the number before, `above` begins at the one after."""
        low, high = self.low, self.high
        if low is not None and high is not None and _is_round(low) and _is_round(high):
            return f"between {low:.6g} and {high:.6g}"
        told = [] if low is None else [f"{'at least' if _is_round(low) else 'above'} {low:.6g}"]
        if high is not None:
            told.append(f"{'at most' if _is_round(high) else 'below'} {high:.6g}")
        return " and ".join(told)


def _is_round(end: float) -> bool:
    """Whether an end is a number that somebody would write."""
    return float(f"{end:.12g}") == end


class Unread(Record):
    """A clause that was not understood, or cannot be followed, and why; `hint` names what is nearest to it."""

    clause: str
    reason: str
    hint: str = ""


class Guidance(Record):
    """A sentence that steers.  `meanings` and `unread` are filled when it is delivered."""

    id: str = Field(description="such as g7: the seventh of its campaign")
    text: str
    author: str = "human"
    cycle: int = Field(default=0, description="the cycle for which a callback gave it; 0: whenever it is delivered")
    campaign_id: str = ""
    door: Door = "library"
    urgent: bool = Field(default=False, description="takes effect at the next node, not at the next cycle")
    given_at: float = 0.0
    recalled_from: str = Field(default="", description="the id of the memory, when the door is `recall`")
    meanings: tuple[Meaning, ...] = ()
    unread: tuple[Unread, ...] = ()


class GuidanceChange(Record):
    """What a guidance changed in a proposal: a value, and what it would have been without any guidance.

    `name` is a parameter; empty where the whole proposal would not have been made.
    """

    proposal_id: str
    name: str = ""
    before: Any = None
    after: Any = None
    what: str = Field(description="the change in words")


class GuidancePayoff(Record):
    """Did it pay: mean scores of the finished proposals that cite it, and of the others of the same cycles."""

    cited: int = 0
    cited_mean: float | None = None
    others: int = 0
    others_mean: float | None = None
    became_best: tuple[str, ...] = Field(default=(), description="proposals that cite it and became the best so far")


class GuidanceReceipt(Record):
    """What has become of a guidance.  `guidance` has its meanings once it is delivered."""

    guidance: Guidance
    status: GuidanceStatus
    node: str = Field(default="", description="where it was delivered first")
    cycle: int = 0
    proposals: tuple[str, ...] = Field(default=(), description="ids of the proposals that cite it, oldest first")
    changes: tuple[GuidanceChange, ...] = ()
    notes: tuple[str, ...] = Field(default=(), description="why it, or a part of it, was not used; a line a reason")
    payoff: GuidancePayoff | None = None
