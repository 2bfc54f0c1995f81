"""Caps on tokens, money and time of language models, checked before each call.

A call is let through only if its worst case still fits: all of its text read, all of its answer written.  While it is
in flight its worst case counts, so that calls side by side cannot pass a cap together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from core.campaign import Budget, Price
from core.errors import ConfigError, ModelBudgetError
from core.models import Chat, ChatCall, ChatReply

__all__ = ["Meter", "MeteredChat", "Spent", "price_of", "worst_case"]

CHARACTERS_PER_TOKEN = 3.0
"""Fewer than text in any of the usual tokenizers has, so that an estimate is on the safe side."""
OVERHEAD_TOKENS = 16
"""What a message costs beside its text."""
LOCAL = ("ollama:", "replay:")


@dataclass(frozen=True)
class Spent:
    """What was, or may be, used."""

    tokens: int = 0
    usd: float = 0.0
    seconds: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.tokens + other.tokens, self.usd + other.usd, self.seconds + other.seconds)

    def __sub__(self, other: Spent) -> Spent:
        return self + replace(other, tokens=-other.tokens, usd=-other.usd, seconds=-other.seconds)


def price_of(model_id: str, prices: Mapping[str, Price]) -> Price | None:
    """What the model costs; a local one nothing, and None where nobody said."""
    if model_id in prices:
        return prices[model_id]
    return Price(input=0, output=0) if model_id.startswith(LOCAL) else None


def tokens_of(call: ChatCall) -> int:
    """At most so many tokens are read."""
    characters = sum(len(message.text) for message in call.messages) + len(str(call.answer_schema))
    return math.ceil(characters / CHARACTERS_PER_TOKEN) + OVERHEAD_TOKENS * len(call.messages)


def worst_case(call: ChatCall, price: Price | None) -> Spent:
    """What the call may use at most, but for its time."""
    read = tokens_of(call)
    usd = (read * price.input + call.max_tokens * price.output) / 1e6 if price else 0.0
    return Spent(read + call.max_tokens, usd)


class Meter:
    """Counts what is spent against a budget.  `spent` is what earlier sessions used."""

    def __init__(self, budget: Budget, prices: Mapping[str, Price], spent: Spent | None = None) -> None:
        self._budget = budget
        self._prices = prices
        self.spent = spent or Spent()
        self._in_flight = Spent()

    def cost(self, model_id: str, input_tokens: int, output_tokens: int) -> float:
        price = price_of(model_id, self._prices)
        return (input_tokens * price.input + output_tokens * price.output) / 1e6 if price else 0.0

    def begin(self, call: ChatCall) -> Spent:
        """Reserve the call's worst case.  Raises ModelBudgetError when a cap could be passed."""
        price = price_of(call.model_id, self._prices)
        if price is None and self._budget.usd is not None:
            raise ConfigError(
                f"a cap of ${self._budget.usd:g} cannot be kept: nobody said what {call.model_id} costs",
                where="budget.usd",
                hint=f'model.prices: {{"{call.model_id}": {{input: 0.5, output: 1.5}}}}, dollars for a million tokens',
            )
        wanted = worst_case(call, price)
        after = self.spent + self._in_flight + wanted
        for name, cap, would in (
            ("tokens", self._budget.tokens, after.tokens),
            ("usd", self._budget.usd, after.usd),
            ("model_time_s", self._budget.model_time_s, after.seconds),
        ):
            if cap is not None and (would > cap or (name == "model_time_s" and would >= cap)):
                raise ModelBudgetError(
                    f"the next call could pass the cap on {name}: {would:g} of {cap:g}",
                    where=f"budget.{name}",
                    hint="raise it on resume, or go on with rules",
                )
        self._in_flight = self._in_flight + wanted
        return wanted

    def end(self, reserved: Spent, used: Spent) -> None:
        self._in_flight = self._in_flight - reserved
        self.spent = self.spent + used


class MeteredChat:
    """A chat whose calls are metered, their cost noted in the reply.  A failed call counts as nothing but its time."""

    def __init__(self, chat: Chat, meter: Meter) -> None:
        self._chat = chat
        self._meter = meter

    async def complete(self, call: ChatCall) -> ChatReply:
        reserved, used = self._meter.begin(call), Spent()
        try:
            reply = await self._chat.complete(call)
            usd = self._meter.cost(call.model_id, reply.input_tokens, reply.output_tokens)
            used = Spent(reply.input_tokens + reply.output_tokens, usd, reply.duration_s)
            return reply.model_copy(update={"cost_usd": usd})
        finally:
            self._meter.end(reserved, used)
