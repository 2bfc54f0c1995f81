"""Records of the feedback loop: frozen, and they round-trip through JSON (`model_dump_json`, `model_validate_json`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from agents.feedback.claims import Claim
from agents.feedback.fact_records import Unparsed

__all__ = [
    "AgitatorFeedback",
    "CodeComments",
    "Directive",
    "DiscriminatorScore",
    "Issue",
    "IterationRecord",
    "LineAnnotation",
    "RewardTrace",
    "ScopeSummary",
    "Statement",
    "reward_traces",
]

Source = Literal["fact", "docstring", "inferred", "model"]
DirectiveName = Literal[
    "types", "header", "params", "returns", "raises", "effects", "complexity", "invariants", "todo", "concise"
]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Statement(_Record):
    """One sentence, where it comes from, and the lines (first, last; 1-based) that it rests on."""

    topic: Literal[
        "purpose", "params", "returns", "raises", "effects", "invariants", "complexity", "types", "todo", "structure",
        "defect", "partial",
    ]  # fmt: skip
    text: str
    source: Source
    line: int
    end_line: int


class LineAnnotation(_Record):
    """A remark beside one line."""

    line: int
    text: str
    source: Source
    topic: str


class ScopeSummary(_Record):
    """What is said about a module, class or function. `annotation` is the form that the discriminator scores."""

    scope: Literal["module", "class", "function"]
    name: str
    line: int
    end_line: int
    statements: tuple[Statement, ...] = ()
    annotation: dict[str, Any] = Field(default_factory=dict)

    @property
    def text(self) -> str:
        return " ".join(statement.text for statement in self.statements)


class CodeComments(_Record):
    """The generator's draft for one file. `partial` says why some lines have none."""

    path: str
    summaries: tuple[ScopeSummary, ...] = ()
    lines: tuple[LineAnnotation, ...] = ()
    directives: tuple[str, ...] = ()
    partial: tuple[Unparsed, ...] = ()
    notes: tuple[str, ...] = ()
    engine: str = "rules"
    """`model` where at least one sentence is a model's."""


class Issue(_Record):
    """Something to better: what is wrong, the evidence in the code, and what to do.

    `weight` in 0..1 is how much of the reward it costs; `directive` names what a next round can do about it, None when
    the code itself or a human must.
    """

    kind: str
    message: str
    evidence: str
    fix: str
    line: int
    scope: str = ""
    weight: float = Field(ge=0, le=1)
    directive: DirectiveName | None = None


class DiscriminatorScore(_Record):
    """Scores in 0..1, higher is better. The reward compares rounds of one generator, not a tool with a human.

    `notes` say why a model had no part in it, where one was asked.
    """

    reward: float = Field(ge=0, le=1)
    coverage: float = Field(ge=0, le=1)
    accuracy: float = Field(ge=0, le=1)
    coherence: float = Field(ge=0, le=1)
    formatting: float = Field(ge=0, le=1)
    gates: dict[str, float] = Field(default_factory=dict)
    claims: tuple[Claim, ...] = ()
    issues: tuple[Issue, ...] = ()
    engine: str = "rules"
    notes: tuple[str, ...] = ()


class Directive(_Record):
    """One instruction to the generator; `wanted` is False for a negated one (`no types`)."""

    name: DirectiveName
    wanted: bool = True
    origin: Literal["human", "agitator", "history"] = "agitator"


class AgitatorFeedback(_Record):
    """What the agitator asks of the next round. `expected_gain` is in units of reward; `unmet` is guidance that no
    directive can follow and that would need a model."""

    guidance: tuple[str, ...] = ()
    directives: tuple[Directive, ...] = ()
    expected_gain: float = 0.0
    prompt: str = ""
    plan: tuple[str, ...] = ()
    unmet: tuple[str, ...] = ()
    stop: bool = False
    stop_reason: str = ""
    engine: str = "rules"
    notes: tuple[str, ...] = ()


class IterationRecord(_Record):
    """One round over one file. `kept` is False when an earlier round stands as the best."""

    schema_version: int = 1
    path: str
    iteration: int
    code_sha256: str
    comments: CodeComments
    discriminator_score: DiscriminatorScore
    agitator_feedback: AgitatorFeedback
    guidance: tuple[str, ...] = ()
    kept: bool = True
    best_reward: float = 0.0


class RewardTrace(_Record):
    """One example for fine-tuning by reward."""

    prompt: str
    completion: str
    reward: float
    issues: tuple[str, ...] = ()


def reward_traces(records: Iterable[IterationRecord]) -> Iterator[RewardTrace]:
    """Traces of finished rounds: the prompt that asked, the comments as JSON, the reward and the issues found."""
    for record in records:
        asked = "; ".join(record.guidance) or "no guidance"
        yield RewardTrace(
            prompt=f"Comment the Python file {record.path} (sha256 {record.code_sha256[:16]}). Guidance: {asked}",
            completion=record.comments.model_dump_json(),
            reward=record.discriminator_score.reward,
            issues=tuple(f"{issue.kind}: {issue.message}" for issue in record.discriminator_score.issues),
        )
