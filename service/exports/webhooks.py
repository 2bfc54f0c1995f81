"""Webhooks of a run: who is told of its events, and what was acknowledged.

A listener that only wakes a thread; the messages are read from the ledger there.  Each is an effect of the ledger,
finished when the receiver has accepted it: what a killed process did not get rid of is sent by the next run of the
campaign, under the same id.  So a receiver gets every event at least once.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from core.errors import PolicyError
from core.events import AnyEvent
from core.ids import content_hash
from core.settings import Settings
from memory.effects import Effect
from memory.ledger import Ledger, StoredCampaign
from runtime.webhooks.courier import Courier, Pace
from runtime.webhooks.sending import Answer, Message
from runtime.webhooks.signature import VARIABLE, read_secret
from runtime.webhooks.target import Target
from service.exports.leaving import leave_to_send
from service.exports.webhook_messages import chosen_types, message_of

__all__ = ["DELIVERY", "Hooks", "follow_webhooks"]

DELIVERY = "webhook"
"""The kind of the effects: one a message and receiver."""
SESSION = "webhook session"
"""The kind of the effects that say from which event on a receiver is told, or is not."""
PAGE = 50
MAX_TARGETS = 10
PACE = Pace()


@dataclass(frozen=True)
class Hooks:
    """What the settings and the environment say.  Raises ConfigError from `of` when they say what cannot be."""

    targets: tuple[Target, ...]
    types: tuple[type[AnyEvent], ...]
    key: bytes

    @classmethod
    def of(cls, settings: Settings, environment: Mapping[str, str] = os.environ) -> Hooks:
        targets = {t.id: t for url in settings.webhook_url if (t := Target.of(url, private=settings.webhook_private))}
        key = read_secret(environment.get(VARIABLE, "")) if targets else b""
        return cls(tuple(targets.values())[:MAX_TARGETS], chosen_types(settings.webhook_events), key)


@contextmanager
def follow_webhooks(
    ledger: Ledger,
    stored: StoredCampaign,
    settings: Settings,
    say: Callable[[str], None],
    *,
    environment: Mapping[str, str] = os.environ,
    pace: Pace = PACE,
) -> Iterator[None]:
    """While this lasts, the receivers of the settings are told of the campaign's events.

    Raises ConfigError at its beginning when the settings are wrong; from then on nothing: trouble is told to `say`, and
    the end waits a few seconds at most.  Where the policy says no, as in safe mode, nothing is sent, and that is said.
    """
    hooks = Hooks.of(settings, environment)
    tellings = [_Telling(ledger, stored, target, hooks, settings, say, pace) for target in hooks.targets]
    forget = [ledger.listen(telling.hear) for telling in tellings]
    try:
        yield
    finally:
        for end in forget:
            end()
        for telling in tellings:
            telling.close()


class _Telling:
    """One receiver and one campaign.

    The first event of a session shows that its process has the campaign to itself; before, nothing is sent.
    """

    def __init__(
        self,
        ledger: Ledger,
        stored: StoredCampaign,
        target: Target,
        hooks: Hooks,
        settings: Settings,
        say: Callable[[str], None],
        pace: Pace,
    ) -> None:
        self._ledger = ledger
        self._stored = stored
        self._target = target
        self._types = hooks.types
        self._settings = settings
        self._say = say
        self._courier = Courier(target, hooks.key, self._pending, self._done, say, pace=pace)
        self._first = 0
        self._cursor: int | None = None
        self._sends = False
        self._bounds: list[tuple[int, bool]] = []
        self._accepted: set[str] = set()
        self._claimed: dict[str, Effect] = {}
        self._unacknowledged = 0

    def hear(self, event: AnyEvent) -> None:
        """Called in the run's thread; wakes the courier, and nothing else."""
        if event.campaign_id != self._stored.id or not event.kept:
            return
        if not self._first:
            self._first = event.seq
            self._courier.start()
            self._courier.wake()
        elif isinstance(event, self._types):
            self._courier.wake()

    def close(self) -> None:
        if not self._first:
            return
        left = self._courier.stop()
        if self._sends and (self._unacknowledged or not left):
            again = f"the next run of {self._stored.id} sends it again"
            self._say(f"webhook {self._target.name}: not everything was accepted; {again}")

    # ------------------------------------------------------------------ in the courier's thread

    def _pending(self) -> list[Message]:
        if self._cursor is None:
            self._begin()
        assert self._cursor is not None
        if not self._sends:
            return []
        while events := list(self._ledger.events(self._stored.id, after=self._cursor, types=self._types, limit=PAGE)):
            messages = [message for event in events if (message := self._claim(event)) is not None]
            self._cursor = events[-1].seq
            if messages:
                return messages
        return []

    def _begin(self) -> None:
        """Ask for leave, and note from which event on this receiver is told of this campaign."""
        self._sends = self._has_leave()
        session = self._ledger.campaign(self._stored.id).sessions
        base = {"target": self._target.id, "host": self._target.host}
        noted = self._ledger.effects.begin(
            f"{SESSION}:{self._stored.id}:{self._target.id}:{session}:{self._first}",
            SESSION,
            self._stored.id,
            {**base, "from": self._first, "sends": self._sends},
        )
        self._ledger.effects.finish(noted, "{}")
        told = [e.request for e in self._ledger.effects.of(self._stored.id, SESSION)]
        mine = [one for one in told if one["target"] == self._target.id]
        self._bounds = sorted((one["from"], one["sends"]) for one in mine)
        self._accepted = {
            e.request["id"]
            for e in self._ledger.effects.of(self._stored.id, DELIVERY)
            if e.state == "finished" and e.request["target"] == self._target.id
        }
        self._cursor = self._bounds[0][0] - 1

    def _has_leave(self) -> bool:
        try:
            leave_to_send(
                self._ledger,
                f"events of {self._stored.id}",
                self._target.host,
                policy_file=self._settings.policy_file,
                safe_mode=self._settings.safe_mode,
                clock=self._ledger.clock,
            )
        except PolicyError as error:
            self._say(f"webhook {self._target.name}: nothing is sent: {error.what}")
            return False
        return True

    def _claim(self, event: AnyEvent) -> Message | None:
        """The message of the event, its intent written; None when it was accepted before, or is none of theirs."""
        sends = False
        for first, allowed in self._bounds:  # what happened while nothing might be sent is not sent later
            if first <= event.seq:
                sends = allowed
        if not sends:
            return None
        message = message_of(event, self._stored)
        if message.id in self._accepted:
            return None
        effect = self._ledger.effects.begin(
            f"{DELIVERY}:{self._target.id}:{content_hash(self._stored.id, message.id)[:32]}",
            DELIVERY,
            self._stored.id,
            {"id": message.id, "event": event.type, "seq": event.seq, "target": self._target.id},
        )
        if effect.state == "finished":
            return None
        self._claimed[message.id] = effect
        return message

    def _done(self, message: Message, answer: Answer) -> None:
        effect = self._claimed.pop(message.id)
        if answer.outcome == "accepted":
            self._ledger.effects.finish(effect, json.dumps({"status": answer.status}))
        else:
            self._unacknowledged += 1
