"""The feedback loop with a language model behind each of its three parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agents.feedback.assistants import AssistantConfig
from agents.feedback.loop import CodeFeedbackLoop
from agents.feedback.model_engines import Part, assistants_with
from core.campaign import Budget, ModelPlan
from core.errors import ConfigError, ModelAnswerError, ModelError
from core.models import Chat, Model
from graph.loop_thread import LoopThread
from graph.seat_models import repair
from prompts import render
from runtime.models.asking import Asked, AskingModel
from runtime.models.choice import Choice, check_reachable, choose, ollama_models, ollama_url, open_chat
from runtime.models.guard import GuardedChat
from runtime.models.meter import Meter, MeteredChat
from runtime.models.prices import price_of
from runtime.models.recording import RecordingChat, check_recording
from runtime.models.spans import TracedChat

__all__ = ["FeedbackModels", "Part"]

PROVIDERS = ("ollama:", "openai:", "replay:")


@dataclass
class FeedbackModels:
    """Opens the models of the three parts on a thread of their own; to be closed.

    `asked` is a model as `--model` takes it.  With `auto` each part has its default model where that Ollama has it, and
    the one that is there otherwise.  `configs` name others by part.  `choice` says what it came to.
    """

    asked: str
    here: Path
    budget: Budget = field(default_factory=Budget)
    configs: Mapping[Part, AssistantConfig] = field(default_factory=dict)
    record: Path | None = None

    def __post_init__(self) -> None:
        if self.record is not None:
            check_recording(self.record)
        self._thread = LoopThread("feedback models")
        self._chats: dict[str, Chat] = {}
        self._providers: list[Chat] = []
        self._meter = Meter(self.budget, {})
        self.use: dict[str, float] = {"calls": 0, "failed": 0, "input_tokens": 0, "output_tokens": 0}
        self.answered = 0
        """Questions with an answer that was used."""
        self.error: ModelError | None = None
        """Of a question without one; an answer that could not be used only where there is no worse."""
        try:
            self.choice: Choice = self._thread.call(choose(self.asked))
            if self.asked not in ("auto", "none"):
                self._priced(self.asked)
                self._thread.call(check_reachable(self.asked, self.here))
        except BaseException:
            self._thread.close()
            raise

    def loop(self) -> CodeFeedbackLoop:
        """A loop whose parts ask their models; one of rules where there is none."""
        if self.choice.model == "none" and not self.configs:
            return CodeFeedbackLoop()
        there: Sequence[str] = ()
        if self.asked == "auto" and self.choice.model.startswith("ollama:"):
            there = self._thread.call(ollama_models(ollama_url()))
        loop = CodeFeedbackLoop()

        def opened(part: Part, model_id: str, config: AssistantConfig) -> Model | None:
            named = self._named(model_id, config, there)
            return None if named == "none" else self._model(part, named, config)

        loop.generator, loop.discriminator, loop.agitator = assistants_with(
            opened, render, self.configs, brief=loop.briefing, wait=self._thread.call
        )
        return loop

    def close(self) -> None:
        """Let go of the thread and of connections.  Twice is once."""
        for provider in self._providers:
            close = getattr(provider, "aclose", None)
            if close is not None:
                self._thread.call(close())
        self._providers.clear()
        self._thread.close()

    def _named(self, model_id: str, config: AssistantConfig, there: Sequence[str]) -> str:
        if config.model_id:  # a bare name, such as gemma2:27b, is Ollama's
            named = config.model_id
            return named if named.startswith(PROVIDERS) or ".py:" in named else f"ollama:{named}"
        return f"ollama:{model_id}" if model_id in there else self.choice.model

    def _model(self, part: Part, named: str, config: AssistantConfig) -> Model:
        chat: Chat = TracedChat(self._opened(named, config), part, part)
        if self.record is not None:
            chat = RecordingChat(chat, self.record)
        return AskingModel(id=named, chat=chat, repair=repair, temperature=config.temperature, told=self._told)

    def _opened(self, model_id: str, config: AssistantConfig) -> Chat:
        if model_id not in self._chats:
            self._priced(model_id)
            plan = ModelPlan(use=model_id, timeout_s=config.timeout_s)
            provider = open_chat(model_id, plan, self.here)
            self._providers.append(provider)
            metered = MeteredChat(provider, self._meter, timeout_s=plan.timeout_s)
            self._chats[model_id] = GuardedChat(metered, timeout_s=plan.timeout_s, retries=plan.retries)
        return self._chats[model_id]

    def _priced(self, model_id: str) -> None:
        """Raises ConfigError for a cap on money that cannot be kept."""
        if self.budget.usd is not None and price_of(model_id, {}) is None:
            raise ConfigError(
                f"a cap of ${self.budget.usd:g} cannot be kept: nobody said what {model_id} costs",
                where="--budget-usd",
                hint="--budget-tokens N",
            )

    def _told(self, asked: Asked) -> None:
        if asked.reply is not None:
            self.use["calls"] += asked.error is None
            self.use["input_tokens"] += asked.reply.input_tokens
            self.use["output_tokens"] += asked.reply.output_tokens
        if asked.error is not None:
            self.use["failed"] += 1
            if self.error is None or isinstance(self.error, ModelAnswerError):
                self.error = asked.error
        self.answered += asked.error is None and not asked.faults
