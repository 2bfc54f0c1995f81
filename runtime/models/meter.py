"""Caps on tokens, money and time of language models, checked before each call.

A call is let through only if its worst case still fits: all of its text read, all of its answer written, all of its
time used.  While it is in flight its worst case counts, so that calls side by side cannot pass a cap together.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.campaign import Budget, Price
from core.errors import ModelBudgetError, ModelError
from core.models import Chat, ChatCall, ChatReply
from runtime.models.prices import cost_usd, price_of
from runtime.models.tokens import most_input_tokens
from runtime.models.uncertain import UncertainError

__all__ = ["Meter", "MeteredChat", "Spent", "price_of", "worst_case"]


@dataclass(frozen=True)
class Spent:
    """What was, or may be, used."""

    tokens: int = 0
    usd: float = 0.0
    seconds: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.tokens + other.tokens, self.usd + other.usd, self.seconds + other.seconds)


def worst_case(call: ChatCall, price: Price | None, timeout_s: float = 0.0) -> Spent:
    """What the call may use at most."""
    read = most_input_tokens(call)
    return Spent(read + call.max_tokens, cost_usd(price, read, call.max_tokens), timeout_s)


class Meter:
    """Counts what is spent against a budget, for all models and roles of a campaign together.

    `spent` and `roles` are what earlier sessions used, and from then on the totals.
    """

    def __init__(
        self,
        budget: Budget,
        prices: Mapping[str, Price],
        spent: Spent | None = None,
        roles: Mapping[str, Spent] | None = None,
    ) -> None:
        self._budget = budget
        self._prices = prices
        self.spent = spent or Spent()
        self.roles = dict(roles or {})
        self._in_flight: dict[int, Spent] = {}
        self._number = 0
        self._waiting: list[asyncio.Future[None]] = []

    def price(self, model_id: str) -> Price | None:
        """Raises ModelBudgetError where there is a cap on money and nobody said what the model costs."""
        price = price_of(model_id, self._prices)
        if price is None and self._budget.usd is not None:
            raise ModelBudgetError(
                f"a cap of ${self._budget.usd:g} cannot be kept: nobody said what {model_id} costs",
                where="budget.usd",
                hint=f'model.prices: {{"{model_id}": {{input: 0.5, output: 1.5}}}}, dollars for a million tokens',
            )
        return price

    async def begin(self, call: ChatCall, timeout_s: float) -> tuple[int, Spent]:
        """Reserve the call's worst case; answers the reservation's number and what is reserved.

        Waits for calls in flight where the call fits once they have used less than their worst case.  Raises
        ModelBudgetError when it would not fit even with nothing in flight.
        """
        price = self.price(call.model_id)
        while True:
            wanted = self._wanted(call, price, timeout_s, self.spent)  # raises
            in_flight = sum(self._in_flight.values(), Spent())
            try:
                wanted = self._wanted(call, price, timeout_s, self.spent + in_flight)
            except ModelBudgetError:
                turn = asyncio.get_running_loop().create_future()
                self._waiting.append(turn)
                await turn
                continue
            self._number += 1
            self._in_flight[self._number] = wanted
            return self._number, wanted

    def end(self, number: int, used: Spent, role: str = "") -> None:
        """Replace a reservation by what was used."""
        del self._in_flight[number]
        self.spent += used
        self.roles[role] = self.roles.get(role, Spent()) + used
        waiting, self._waiting = self._waiting, []
        for turn in waiting:
            if not turn.done():
                turn.set_result(None)

    def _wanted(self, call: ChatCall, price: Price | None, timeout_s: float, before: Spent) -> Spent:
        """The worst case beside what is used `before`; of the time no more than is left."""
        worst = worst_case(call, price, timeout_s)
        if self._budget.model_time_s is not None:
            left_s = self._budget.model_time_s - before.seconds
            if left_s <= 0:
                raise self._passed("model_time_s", before.seconds, self._budget.model_time_s)
            worst = Spent(worst.tokens, worst.usd, min(worst.seconds, left_s))
        after = before + worst
        if self._budget.tokens is not None and after.tokens > self._budget.tokens:
            raise self._passed("tokens", after.tokens, self._budget.tokens)
        if self._budget.usd is not None and after.usd > self._budget.usd:
            raise self._passed("usd", after.usd, self._budget.usd)
        return worst

    def _passed(self, name: str, would: float, cap: float) -> ModelBudgetError:
        return ModelBudgetError(
            f"the next call could pass the cap on {name}: {would:g} of {cap:g}",
            where=f"budget.{name}",
            hint="raise it on resume, or go on with rules",
        )


class MeteredChat:
    """A chat whose calls are metered for `role`, their cost noted in the reply.

    `timeout_s` is the longest that a call takes.  One that ends in uncertainty (a time-out, a cut stream) counts with
    its worst case in tokens and money, any other failed one with its time only; a replayed or stored answer costs
    nothing.
    """

    def __init__(
        self,
        chat: Chat,
        meter: Meter,
        role: str = "",
        *,
        timeout_s: float = 120.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._chat = chat
        self._meter = meter
        self._role = role
        self._timeout_s = timeout_s
        self._clock = clock

    async def complete(self, call: ChatCall) -> ChatReply:
        """The reply, with its cost.  Raises ModelBudgetError, and what the chat raises."""
        number, worst = await self._meter.begin(call, self._timeout_s)
        began = self._clock()
        used = worst
        try:
            try:
                async with asyncio.timeout(worst.seconds if worst.seconds < self._timeout_s else None):
                    reply = await self._chat.complete(call)
            except TimeoutError as error:
                raise ModelBudgetError(
                    f"the cap on model_time_s was reached {worst.seconds:.0f} s into a call",
                    where="budget.model_time_s",
                    hint="raise it on resume, or go on with rules",
                ) from error
            if reply.source != "model":
                used = Spent()
                return reply
            usd = cost_usd(self._meter.price(call.model_id), reply.input_tokens, reply.output_tokens)
            used = Spent(reply.input_tokens + reply.output_tokens, usd, self._clock() - began)
            return reply.model_copy(update={"cost_usd": usd})
        except UncertainError:
            used = Spent(worst.tokens, worst.usd, self._clock() - began)
            raise
        except ModelBudgetError:
            raise
        except ModelError:
            used = Spent(0, 0.0, self._clock() - began)
            raise
        except asyncio.CancelledError:  # the guard's time-out, or the end of the run
            used = Spent(worst.tokens, worst.usd, self._clock() - began)
            raise
        finally:
            self._meter.end(number, used, self._role)
