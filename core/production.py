"""What real work came to, and the plan that is distilled from it when it went well.

Outcome → plan → `Trajectory` (`core.records`): what agents did in earnest is where the next generation begins.
Durations are seconds, times UTC seconds since the epoch.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field, field_validator

from core.ids import content_id
from core.plain import plain
from core.records import Record, Source
from core.scrub import scrubbed_data

__all__ = ["MAX_ENTRIES", "MAX_TEXT", "OUTCOMES", "TRAINING", "ExtractedPlan", "Namespace", "ProductionOutcome"]

Namespace = tuple[str, str]
OUTCOMES, TRAINING = "outcomes", "training"
"""First labels of the namespaces `("outcomes", agent)` and `("training", agent)`."""

MAX_ENTRIES = 500
MAX_TEXT = 20_000

Entries = Annotated[tuple[Annotated[str, Field(max_length=MAX_TEXT)], ...], Field(max_length=MAX_ENTRIES)]


class ProductionOutcome(Record):
    """One execution of a task by an agent, whether it went well or not.

    `result` becomes plain JSON data, whatever it was.  The same outcome told twice is one; `started_at` keeps apart two
    executions that are alike in all else.
    """

    schema_version: ClassVar[int] = 1
    agent: str = Field(min_length=1, max_length=200)
    task: str = Field(max_length=MAX_TEXT)
    task_type: str = Field(default="general", min_length=1, max_length=200)
    success: bool
    result: Any = None
    execution_path: Entries = Field(default=(), description="the steps, in order")
    tools_used: Entries = Field(default=(), description="in the order of their use")
    duration_s: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    failure_reasons: Entries = ()
    learned_from: Entries = Field(default=(), description="ids of the outcomes whose plans or code it made use of")
    started_at: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    metadata: dict[str, Any] = Field(default={})

    @field_validator("result", "metadata", mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        return plain(value)

    @property
    def namespace(self) -> Namespace:
        return (OUTCOMES, self.agent)

    @property
    def id(self) -> str:
        """`o-` and a hash of all of it."""
        return content_id("o", self.model_dump(mode="json"))

    def without_secrets(self) -> ProductionOutcome:
        """The outcome as it may be kept."""
        told = self.model_dump(mode="json")
        names = {"agent": self.agent, "task_type": self.task_type, "learned_from": self.learned_from}
        return ProductionOutcome.model_validate({**scrubbed_data(told), **names})


class ExtractedPlan(Record):
    """The steps behind a success, for somebody else to follow.  `source` says who distilled it: rules or a model."""

    schema_version: ClassVar[int] = 1
    agent: str = Field(min_length=1, max_length=200)
    task_type: str = Field(min_length=1, max_length=200)
    strategy: str = Field(max_length=MAX_TEXT)
    steps: Entries = ()
    tools_sequence: Entries = ()
    confidence: float = Field(ge=0, le=1, description="that following it succeeds again")
    evidence: dict[str, float] = Field(default={}, description="what the confidence rests on, each 0 … 1")
    source_outcome: str = Field(description="id of the outcome; a plan is known by it")
    source: Source = "rules"

    @property
    def namespace(self) -> Namespace:
        return (TRAINING, self.agent)

    @property
    def id(self) -> str:
        return self.source_outcome
