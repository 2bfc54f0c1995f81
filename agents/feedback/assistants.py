"""The three roles by their public names. Each holds an engine, a plain callable.

Without a model the engines are static analysis. A model-backed one takes the place of a callable; the loop does not
know the difference, and every record says which engine spoke.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from agents.feedback.agitator import MAX_DIRECTIVES, Experience, agitate
from agents.feedback.file_score import score_comments
from agents.feedback.generator import generate
from agents.feedback.records import AgitatorFeedback, CodeComments, Directive, DiscriminatorScore

__all__ = [
    "AgitatorEngine",
    "AssistantConfig",
    "Briefing",
    "CodeCommentAgitatorAssistant",
    "CodeCommentDiscriminatorAssistant",
    "CodeCommentGeneratorAssistant",
    "DiscriminatorEngine",
    "GeneratorEngine",
]


class AssistantConfig(BaseModel):
    """Settings of one assistant. `model_id` overrides the role's default model, when a model is used at all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model_id: str | None = None
    temperature: float = Field(default=0.0, ge=0.0, le=2.0)
    timeout_s: float = Field(default=60.0, gt=0.0)


@dataclass(frozen=True)
class Briefing:
    """Guidance in words: what people said of a file, in order, and what the last round's agitator wrote."""

    human: tuple[str, ...] = ()
    advice: str = ""


class GeneratorEngine(Protocol):
    def __call__(self, path: str, code: str, directives: Sequence[Directive]) -> CodeComments: ...


class DiscriminatorEngine(Protocol):
    def __call__(self, code: str, comments: CodeComments) -> DiscriminatorScore: ...


class AgitatorEngine(Protocol):
    def __call__(self, score: DiscriminatorScore, **context: Any) -> AgitatorFeedback: ...


class _Assistant:
    default_model_id = ""

    def __init__(self, config: AssistantConfig | None, engine_name: Literal["rules", "model", "replay"]) -> None:
        self.config = config or AssistantConfig()
        self.engine_name = engine_name

    @property
    def model_id(self) -> str:
        """The model that a model-backed engine of this role would use; the rules use none."""
        return self.config.model_id or self.default_model_id


class CodeCommentGeneratorAssistant(_Assistant):
    """JSON line annotations and scope summaries of a source file."""

    default_model_id = "llama3.2"

    def __init__(self, config: AssistantConfig | None = None, engine: GeneratorEngine | None = None) -> None:
        super().__init__(config, "model" if engine else "rules")
        self._engine: GeneratorEngine = engine or generate

    def generate(self, path: str, code: str, directives: Sequence[Directive] = ()) -> CodeComments:
        """Comments of `code`, following `directives`. ConfigError when the file cannot be analysed."""
        return self._engine(path, code, directives)


class CodeCommentDiscriminatorAssistant(_Assistant):
    """Coverage, accuracy, coherence, formatting → reward in 0..1, with structured issues."""

    default_model_id = "llama3.2"

    def __init__(self, config: AssistantConfig | None = None, engine: DiscriminatorEngine | None = None) -> None:
        super().__init__(config, "model" if engine else "rules")
        self._engine: DiscriminatorEngine = engine or score_comments

    def score(self, code: str, comments: CodeComments) -> DiscriminatorScore:
        return self._engine(code, comments)


def _agitate(score: DiscriminatorScore, **context: Any) -> AgitatorFeedback:
    return agitate(score, **context)


class CodeCommentAgitatorAssistant(_Assistant):
    """Targeted guidance and a plan for the next round."""

    default_model_id = "gemma2:27b"

    def __init__(self, config: AssistantConfig | None = None, engine: AgitatorEngine | None = None) -> None:
        super().__init__(config, "model" if engine else "rules")
        self._engine: AgitatorEngine = engine or _agitate

    def advise(
        self,
        score: DiscriminatorScore,
        *,
        active: Sequence[Directive] = (),
        human: Sequence[str] = (),
        recalled: Sequence[str] = (),
        tried: dict[str, int] | None = None,
        experience: Experience | None = None,
        limit: int = MAX_DIRECTIVES,
    ) -> AgitatorFeedback:
        return self._engine(
            score, active=active, human=human, recalled=recalled, tried=tried, experience=experience, limit=limit
        )
