"""The feedback loop with a language model behind each of its three parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from agents.feedback.assistants import (
    AssistantConfig,
    CodeCommentAgitatorAssistant,
    CodeCommentDiscriminatorAssistant,
    CodeCommentGeneratorAssistant,
)
from agents.feedback.loop import CodeFeedbackLoop
from agents.feedback.model_engines import Ask, model_agitator, model_discriminator, model_generator
from core.campaign import Budget, ModelPlan
from core.models import Chat
from graph.loop_thread import LoopThread
from graph.seat_models import repair
from runtime.models.asking import Asked, AskingModel
from runtime.models.choice import Choice, check_reachable, choose, ollama_models, ollama_url, open_chat
from runtime.models.guard import GuardedChat
from runtime.models.meter import Meter, MeteredChat
from runtime.models.recording import RecordingChat
from runtime.models.spans import TracedChat

__all__ = ["FeedbackModels", "Part"]

Part = Literal["generator", "discriminator", "agitator"]
DEFAULTS: dict[Part, str] = {
    "generator": CodeCommentGeneratorAssistant.default_model_id,
    "discriminator": CodeCommentDiscriminatorAssistant.default_model_id,
    "agitator": CodeCommentAgitatorAssistant.default_model_id,
}
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
        self._thread = LoopThread("feedback models")
        self._chats: dict[str, Chat] = {}
        self._providers: list[Chat] = []
        self._meter = Meter(self.budget, {})
        self.use: dict[str, float] = {"calls": 0, "failed": 0, "input_tokens": 0, "output_tokens": 0}
        self.reason = ""
        try:
            self.choice: Choice = self._thread.call(choose(self.asked))
            if self.asked not in ("auto", "none"):
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
        config = {part: self.configs.get(part, AssistantConfig()) for part in DEFAULTS}
        asks = {part: self._ask(part, self._named(part, there), config[part]) for part in DEFAULTS}
        loop.generator = CodeCommentGeneratorAssistant(
            config["generator"], model_generator(asks["generator"], loop.human_guidance)
        )
        loop.discriminator = CodeCommentDiscriminatorAssistant(
            config["discriminator"], model_discriminator(asks["discriminator"])
        )
        loop.agitator = CodeCommentAgitatorAssistant(config["agitator"], model_agitator(asks["agitator"]))
        return loop

    def close(self) -> None:
        """Let go of the thread and of connections.  Twice is once."""
        for provider in self._providers:
            close = getattr(provider, "aclose", None)
            if close is not None:
                self._thread.call(close())
        self._providers.clear()
        self._thread.close()

    def _named(self, part: Part, there: Sequence[str]) -> str:
        own = self.configs.get(part, AssistantConfig()).model_id
        if own:  # a bare name, such as gemma2:27b, is Ollama's
            return own if own.startswith(PROVIDERS) or ".py:" in own else f"ollama:{own}"
        return f"ollama:{DEFAULTS[part]}" if DEFAULTS[part] in there else self.choice.model

    def _ask(self, part: Part, model_id: str, config: AssistantConfig) -> Ask:
        chat: Chat = TracedChat(self._opened(model_id, config), part, part)
        if self.record is not None:
            chat = RecordingChat(chat, self.record)
        model = AskingModel(id=model_id, chat=chat, repair=repair, temperature=config.temperature, told=self._told)
        return Ask(model.ask, self._thread.call)

    def _opened(self, model_id: str, config: AssistantConfig) -> Chat:
        if model_id not in self._chats:
            plan = ModelPlan(use=model_id, timeout_s=config.timeout_s)
            provider = open_chat(model_id, plan, self.here)
            self._providers.append(provider)
            metered = MeteredChat(provider, self._meter, timeout_s=plan.timeout_s)
            self._chats[model_id] = GuardedChat(metered, timeout_s=plan.timeout_s, retries=plan.retries)
        return self._chats[model_id]

    def _told(self, asked: Asked) -> None:
        if asked.error is not None:
            self.use["failed"] += 1
            self.reason = asked.error.what
        elif asked.reply is not None:
            self.use["calls"] += 1
            self.use["input_tokens"] += asked.reply.input_tokens
            self.use["output_tokens"] += asked.reply.output_tokens
