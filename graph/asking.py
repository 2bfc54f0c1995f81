"""Waiting for answers while a campaign runs: what was remembered, what callbacks say, a person here, any other door.

The first answer counts, wherever it comes from.  Without anybody here the questions stay in the inbox.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from core.approvals import Answer, Approval, Scope, Tier
from core.errors import ConfigError, RatchetError
from memory.approvals import Approvals

__all__ = ["Ask", "Callback", "Inquiry", "Person"]

POLL_S = 0.25
CALLBACK_TIMEOUT_S = 30.0


class Person(Protocol):
    """Somebody who can be asked here and now."""

    async def ask(self, asked: Approval) -> Answer | None:
        """Their answer; None when there is nobody any more.  Cancelled when the question is closed elsewhere."""
        ...

    def refused(self, error: RatchetError) -> None:
        """Their answer was none, or came too late."""
        ...

    def closed(self, asked: Approval) -> None:
        """The question they were asked was answered elsewhere, or has expired."""
        ...


@dataclass(frozen=True)
class Ask:
    """What a callback is handed: the question, and its possible answers."""

    approval: Approval

    @property
    def risk(self) -> Tier:
        return self.approval.tier

    def accept(self, remember: Scope | None = None) -> Answer:
        return Answer(kind="accept", remember=remember)

    def edit(self, **changes: Any) -> Answer:
        """Yes, with these parameters in place of those shown."""
        return Answer(kind="edit", config={**self.approval.shown.get("config", {}), **changes})

    def respond(self, text: str) -> Answer:
        """No, and a word to the council."""
        return Answer(kind="respond", text=text)

    def ignore(self, reason: str = "") -> Answer:
        """No."""
        return Answer(kind="ignore", text=reason)

    def park(self) -> None:
        """No answer: it is left to whoever else can be asked."""


Callback = Callable[[Ask], Answer | Awaitable[Answer | None] | None]


class Inquiry:
    """`report` is told (id, error) of a callback that fails; `person` is who can be asked here, if anybody."""

    def __init__(
        self,
        approvals: Approvals,
        *,
        callbacks: Sequence[Callback] = (),
        person: Person | None = None,
        report: Callable[[str, str], None] = lambda _, __: None,
        timeout_s: float = CALLBACK_TIMEOUT_S,
    ) -> None:
        self._approvals = approvals
        self._callbacks = tuple(callbacks)
        self._person = person
        self._report = report
        self._timeout_s = timeout_s

    async def wait(self, ids: Sequence[str], mode: str, stopped: Callable[[], bool]) -> bool:
        """Until all of these questions are closed; False when some are left to the inbox, or `stopped` says so.

        The modes `all` and `never` answer what was asked under another mode.
        """
        self._approvals.expire()
        for one in self._open(ids):
            await self._by_itself(one, mode)
        for one in self._open(ids):
            if self._person is None or not await self._here(one.id, self._person, stopped):
                return False
        return True

    def _open(self, ids: Sequence[str]) -> list[Approval]:
        found = [self._approvals.get(name) for name in ids]
        return [one for one in found if one.state == "waiting"]

    async def _by_itself(self, asked: Approval, mode: str) -> None:
        """An answer without anybody being asked: by the mode, a rule, or the first callback that has one."""
        if mode in ("all", "never"):
            self._give(
                asked, Answer(kind="accept" if mode == "all" else "ignore"), by=f"approvals: {mode}", door="mode"
            )
            return
        if rule := self._approvals.rule_for(asked):
            told = Answer(kind="accept", text=f"remembered as {rule.id}")
            self._give(asked, told, by=rule.by, door="rule")
            return
        for callback in self._callbacks:
            try:
                answer = await self._called(callback, asked)
                if answer is not None:
                    self._give(asked, answer, by=getattr(callback, "__name__", "callback"), door="callback")
                    return
            except Exception as error:  # noqa: BLE001  # somebody else's code; the question is left to the others
                self._report(asked.id, f"{type(error).__name__}: {error}")

    async def _called(self, callback: Callback, asked: Approval) -> Answer | None:
        """Its answer.  Raises what it raises, TimeoutError, and ConfigError for what is no answer."""

        async def call() -> object:
            told: object = await asyncio.to_thread(callback, Ask(asked))
            return await told if inspect.isawaitable(told) else told

        told = await asyncio.wait_for(call(), self._timeout_s)
        if told is None or isinstance(told, Answer):
            return told
        raise ConfigError(f"on_approval answered {type(told).__name__}, no Answer", hint="ask.accept(), ask.park() …")

    def _give(self, asked: Approval, answer: Answer, *, by: str, door: str) -> None:
        self._approvals.answer(asked.id, answer, by=by, door=door, shown_hash=asked.shown_hash)

    async def _here(self, name: str, person: Person, stopped: Callable[[], bool]) -> bool:
        """Ask the person here until the question is closed, by them or by others; False when they are gone."""
        while (asked := self._approvals.get(name)).state == "waiting":
            asking = asyncio.create_task(person.ask(asked))
            try:
                while not (await asyncio.wait({asking}, timeout=POLL_S))[0]:
                    self._approvals.expire()
                    if stopped():
                        return False
                    if (now := self._approvals.get(name)).state != "waiting":
                        person.closed(now)
                        break
                else:
                    answer = asking.result()
                    if answer is None:
                        return False
                    try:
                        self._give(asked, answer, by=answer.by, door=answer.door)
                    except RatchetError as error:
                        person.refused(error)
            finally:
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
        return True
