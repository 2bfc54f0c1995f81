"""Generator, discriminator and agitator with a language model: engines behind the assistants, rules beneath each.

What the syntax proves stands above what a model says, and where there is no answer the rules have spoken: `engine` says
which of the two, `notes` say why.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Literal

from agents.feedback.assistants import (
    AssistantConfig,
    Briefing,
    CodeCommentAgitatorAssistant,
    CodeCommentDiscriminatorAssistant,
    CodeCommentGeneratorAssistant,
)
from agents.feedback.blocking import BlockingModel
from agents.feedback.model_agitator import model_agitator
from agents.feedback.model_discriminator import model_discriminator
from agents.feedback.model_generator import Render, model_generator
from core.models import Model

__all__ = [
    "BlockingModel",
    "Part",
    "Render",
    "assistants_with",
    "model_agitator",
    "model_discriminator",
    "model_generator",
]

Part = Literal["generator", "discriminator", "agitator"]
CALLS = 10
"""Attempts and repairs that one question may take, each of `AssistantConfig.timeout_s` at most."""


def assistants_with(
    open_model: Callable[[Part, str, AssistantConfig], Model | None],
    render: Render,
    configs: Mapping[Part, AssistantConfig] | None = None,
    *,
    brief: Callable[[str], Briefing] | None = None,
    wait: Callable[[Coroutine[Any, Any, Any]], Any] | None = None,
) -> tuple[CodeCommentGeneratorAssistant, CodeCommentDiscriminatorAssistant, CodeCommentAgitatorAssistant]:
    """The three assistants, each with the model that `open_model(part, model_id, config)` opens; None: rules.

    `model_id` is the config's, else the part's own.  `brief` is the `briefing` of the loop that they will serve,
    without which guidance reaches the generator as directives only.  `wait` runs a question, see `BlockingModel`.
    """
    config = {part: (configs or {}).get(part) for part in ("generator", "discriminator", "agitator")}
    generator = CodeCommentGeneratorAssistant(config["generator"])
    discriminator = CodeCommentDiscriminatorAssistant(config["discriminator"])
    agitator = CodeCommentAgitatorAssistant(config["agitator"])

    def opened(part: Part, model_id: str, settings: AssistantConfig) -> BlockingModel | None:
        model = open_model(part, model_id, settings)
        return None if model is None else BlockingModel(model, timeout_s=CALLS * settings.timeout_s, wait=wait)

    writes = opened("generator", generator.model_id, generator.config)
    judges = opened("discriminator", discriminator.model_id, discriminator.config)
    advises = opened("agitator", agitator.model_id, agitator.config)
    if writes is not None:
        generator = CodeCommentGeneratorAssistant(generator.config, model_generator(writes, render, brief))
    if judges is not None:
        discriminator = CodeCommentDiscriminatorAssistant(discriminator.config, model_discriminator(judges, render))
    if advises is not None:
        reads = writes is not None and brief is not None
        agitator = CodeCommentAgitatorAssistant(agitator.config, model_agitator(advises, render, reads=reads))
    return generator, discriminator, agitator
