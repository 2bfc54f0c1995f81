"""The language models of a campaign's seats: chosen once, guarded, metered, paid once, and told of.

    seat → AskingModel → PaidOnceChat → [RecordingChat] → TracedChat → GuardedChat → MeteredChat → provider

Guard and meter are those of all seats together; every attempt is metered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from agents.model_seats import NONE, asked_models, with_model_seats
from core.campaign import Campaign, ModelRole, Use
from core.errors import ConfigError, ModelError
from core.events import AnyEvent, ModelCalled, ModelChosen
from core.models import Chat, Model
from graph.paid_once import PaidOnceChat, paid_before
from memory.history import History
from memory.ledger import Ledger
from prompts import render
from runtime.models.asking import Asked, AskingModel
from runtime.models.choice import check_reachable, check_spec, choose, open_chat
from runtime.models.guard import GuardedChat
from runtime.models.meter import Meter, MeteredChat, Spent, worst_case
from runtime.models.prices import price_of
from runtime.models.recording import RecordingChat
from runtime.models.spans import TracedChat

__all__ = ["SeatModels", "check_models", "repair", "with_chosen_models"]


def repair(faults: Sequence[str]) -> str:
    """The message that sends an invalid answer back."""
    return render("common/repair", faults="\n".join(f"- {fault}" for fault in faults)).user


def check_models(campaign: Campaign, where: str) -> None:
    """Raises ConfigError for a model that no form names, and for a cap on money that cannot be kept."""
    for spec in asked_models(campaign):
        check_spec(spec, f"{where}, model")
        priced = spec in (NONE, "auto") or price_of(spec, campaign.model.prices) is not None
        if campaign.budget.usd is not None and not priced:
            raise ConfigError(
                f"a cap of ${campaign.budget.usd:g} cannot be kept: nobody said what {spec} costs",
                where=f"{where}, budget.usd",
                hint=f'model: {{prices: {{"{spec}": {{input: 0.5, output: 1.5}}}}}}, dollars for a million tokens',
            )


def with_chosen_models(campaign: Campaign, history: History) -> Campaign:
    """The campaign as it is run: with the seats that models take, in the roles for which one was chosen."""
    if all(_chosen(spec, history) == NONE for spec in campaign.models()):
        return campaign

    def model_of(role: ModelRole, seat: Use) -> str:
        return _chosen(campaign.model_of(role, seat), history)

    return campaign.model_copy(update={"council": with_model_seats(campaign.council, campaign.kind, model_of)})


def _chosen(spec: str, history: History) -> str:
    return history.models[spec].model if spec in history.models else spec


class SeatModels:
    """Opens models when they are first asked for.  `choose` comes before."""

    def __init__(
        self,
        campaign: Campaign,
        campaign_id: str,
        ledger: Ledger,
        history: History,
        *,
        record: Path | None = None,
    ) -> None:
        self._campaign = campaign
        self._campaign_id = campaign_id
        self._ledger = ledger
        self._history = history
        self._record = record
        self._chats: dict[str, Chat] = {}
        self._providers: list[Chat] = []
        self._meter: Meter | None = None

    async def choose(self) -> None:
        """Settle what `auto` is, once a campaign, and see that what was asked for by name is there.

        Raises ModelError (exit 4) with the fix when it is not: a run that was to have a model does not begin without.
        """
        for spec in asked_models(self._campaign):
            if spec == "auto" and spec not in self._history.models:
                choice = await choose(spec)
                self._tell(
                    ModelChosen(campaign_id=self._campaign_id, asked=spec, model=choice.model, reason=choice.reason)
                )
            elif spec not in (NONE, "auto"):
                await check_reachable(spec, Path(self._campaign.here))

    async def aclose(self) -> None:
        """Let go of connections."""
        for provider in self._providers:
            close = getattr(provider, "aclose", None)
            if close is not None:
                await close()

    def of(self, role: ModelRole, seat: str, use: Use, cycle: int, seed: int) -> Model | None:
        """The model of a seat in a cycle; None where rules decide alone.  Its calls are told as events."""
        return self.named(self._campaign.model_of(role, use), role, seat, cycle, seed)

    def named(
        self, spec: str, role: ModelRole, seat: str, cycle: int, seed: int, temperature: float | None = None
    ) -> Model | None:
        """A model by name for a seat, at its own temperature."""
        model_id, plan = _chosen(spec, self._history), self._campaign.model
        if model_id == NONE:
            return None
        chat: Chat = TracedChat(self._opened(model_id), role, seat)
        if self._record is not None:
            chat = RecordingChat(chat, self._record)
        return AskingModel(
            id=model_id,
            chat=PaidOnceChat(chat, self._ledger.effects, self._campaign_id),
            repair=repair,
            temperature=plan.temperature if temperature is None else temperature,
            seed=seed % 2**31,
            repairs=plan.repairs,
            told=self._teller(role, seat, cycle),
        )

    def _opened(self, model_id: str) -> Chat:
        """One guarded chat a model, so that breaker and concurrency hold over all seats."""
        if model_id not in self._chats:
            plan = self._campaign.model
            provider = open_chat(model_id, plan, Path(self._campaign.here))
            self._providers.append(provider)
            metered = MeteredChat(provider, self._meter_of_all(), timeout_s=plan.timeout_s)
            self._chats[model_id] = GuardedChat(
                metered,
                timeout_s=plan.timeout_s,
                retries=plan.retries,
                concurrency=plan.concurrency,
                first_pause_s=plan.first_pause_s,
            )
        return self._chats[model_id]

    def _meter_of_all(self) -> Meter:
        """The one meter, begun with what earlier sessions spent; for a call that was cut off its worst case counts."""
        if self._meter is None:
            prices, spent = self._campaign.model.prices, Spent()
            for call, reply in paid_before(self._ledger.effects, self._campaign_id):
                if reply is None:
                    spent += worst_case(call, price_of(call.model_id, prices))
                elif reply.source == "model":
                    spent += Spent(reply.input_tokens + reply.output_tokens, reply.cost_usd, reply.duration_s)
            self._meter = Meter(self._campaign.budget, prices, spent)
        return self._meter

    def _teller(self, role: str, seat: str, cycle: int) -> Callable[[Asked], None]:
        def told(asked: Asked) -> None:
            if asked.reply is not None and asked.reply.source == "stored":
                return  # it was told of when it was paid
            self._tell(_event(asked, self._campaign_id, role, seat, cycle))

        return told

    def _tell(self, *events: AnyEvent) -> None:
        self._ledger.append(*events)


def _event(asked: Asked, campaign_id: str, role: str, seat: str, cycle: int) -> ModelCalled:
    reply, error = asked.reply, asked.error
    used = {} if reply is None else reply.model_dump(
        include={"input_tokens", "output_tokens", "cost_usd", "duration_s", "attempts", "source"}
    )  # fmt: skip
    return ModelCalled(
        campaign_id=campaign_id,
        cycle=cycle,
        call=asked.call.key,
        role=role,
        seat=seat,
        prompt=asked.prompt.name,
        edition=asked.prompt.edition,
        model_id=asked.call.model_id,
        repair=asked.repair,
        error=_short(error) if error else "",
        **used,
    )


def _short(error: ModelError) -> str:
    return f"{type(error).__name__}: {error.what}"[:300]
