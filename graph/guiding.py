"""Guidance on its way into a cycle: asked for, read, delivered at a node, and what of it could not be followed.

What a node is handed is told as an event before the node answers; a node that has answered is handed nothing new.  So
a cycle that is run again after a kill sees the guidance that it saw.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterable
from typing import Any

from agents.guidance.reading import Reading, read
from agents.guidance.recalled import question, sentence, softened
from agents.guidance.recalled import remembered as as_memory
from agents.guidance.steering import SetAside
from agents.guidance.vocabulary import Vocabulary
from agents.guidance.with_model import read_with_model
from agents.guidance.words import vocabulary_of
from core.errors import RatchetError
from core.events import AnyEvent, GuidanceDelivered, GuidanceUnused, RoleFailed
from core.guidance import Guidance
from graph.context import Context, GuidanceCallback
from memory.guidance import GuidanceBook

__all__ = ["deliver", "report_untouched"]

MOST_RECALLED = 3
MOST_OF_ONE_CALLBACK = 20
"""Sentences that one callback may give in a cycle."""


async def deliver(context: Context, cycle: int, node: str) -> None:
    """Hand a node of a cycle what is queued: everything at the director, what is urgent at any other node."""
    if (cycle, node) in context.heard:
        return
    context.heard.add((cycle, node))
    if _answered(context, cycle, node):
        return
    book = GuidanceBook(context.ledger)
    if node == "director":
        await _ask_callbacks(context, book, cycle)
        await _recall(context, book, cycle)
    told: list[AnyEvent] = []
    words: Vocabulary | None = None
    for guidance in _queued(context, book, node):
        words = words or _vocabulary(context, cycle)
        reading = read(guidance.text, words)
        if reading.unread:
            reading = await read_with_model(reading, words, context.kit(cycle, "director", _director(context)))
        told += _delivered(context, guidance, reading, cycle, node)
    told += _dropped(context, book, cycle, node)
    if told:
        context.tell(*told)
        context.tell(*_set_aside(context, cycle, node))
        _remember(context, told)


def report_untouched(context: Context, cycle: int) -> list[AnyEvent]:
    """Of the guidance that this cycle was handed first: what no proposal of the cycle was touched by."""
    history = context.history
    used = {event.guidance_id for event in history.guidance_used}
    aside = {event.guidance_id for event in history.guidance_unused}
    return [
        GuidanceUnused(
            campaign_id=context.campaign_id,
            cycle=cycle,
            guidance_id=one.id,
            why="untouched",
            reason="no proposal of this cycle is another because of it; it stays in force",
            node="historian",
        )
        for one in history.guidance(cycle, "historian")
        if history.guidance_delivered[one.id].cycle == cycle and one.meanings and one.id not in used | aside
    ]


# ------------------------------------------------------------------------ parts


def _answered(context: Context, cycle: int, node: str) -> bool:
    """Whether the node has said anything already."""
    told = context.history.cycle(cycle)
    said: dict[str, Any] = {
        "director": told.direction,
        "proposer": told.proposals,
        "voter": told.votes,
        "supervisor": told.rulings,
    }
    return bool(said[node])


def _queued(context: Context, book: GuidanceBook, node: str) -> list[Guidance]:
    known = context.history.guidance_delivered
    queued = [
        one for one in book.given(context.campaign_id) if one.id not in known and (node == "director" or one.urgent)
    ]
    dropped = book.dropped(context.campaign_id) if queued else set()
    return [one for one in queued if one.id not in dropped]


def _vocabulary(context: Context, cycle: int) -> Vocabulary:
    case = context.case(cycle)
    measured = [name for e in case.history for name in e.outcome.metrics]
    if case.baseline is not None:
        measured += case.baseline.metrics
    return vocabulary_of(context.campaign, context.space, dict.fromkeys(measured), case.population)


def _delivered(context: Context, guidance: Guidance, reading: Reading, cycle: int, node: str) -> list[AnyEvent]:
    meanings = softened(reading.meanings) if guidance.door == "recall" else reading.meanings
    read_as = guidance.model_copy(update={"meanings": tuple(meanings), "unread": reading.unread})
    where: dict[str, Any] = {"campaign_id": context.campaign_id, "cycle": cycle, "node": node}
    told: list[AnyEvent] = [GuidanceDelivered(guidance=read_as, **where)]
    if reading.unread:
        faults = "; ".join(
            f"{one.clause!r}: {one.reason}" + (f" ({one.hint})" if one.hint else "") for one in reading.unread
        )
        told.append(
            GuidanceUnused(
                guidance_id=guidance.id,
                why="not understood",
                reason=f"not understood: {faults}",
                unread=reading.unread,
                **where,
            )
        )
    return told


def _dropped(context: Context, book: GuidanceBook, cycle: int, node: str) -> list[AnyEvent]:
    in_force = {one.id for one in context.history.guidance(cycle, node)}
    dropped = book.dropped(context.campaign_id) & in_force if in_force else set()
    return [
        GuidanceUnused(
            campaign_id=context.campaign_id,
            cycle=cycle,
            guidance_id=one,
            why="dropped",
            reason="dropped: without effect from here on",
            node=node,
        )
        for one in sorted(dropped)
    ]


def _set_aside(context: Context, cycle: int, node: str) -> list[AnyEvent]:
    """What gives way to something later, or would leave nothing, each said once."""
    said = {(event.guidance_id, event.why, event.reason) for event in context.history.guidance_unused}
    news: dict[tuple[str, str], list[SetAside]] = {}
    for one in context.case(cycle, node=node).steering().aside:
        if not any((i, w) == (one.guidance_id, one.why) and one.reason in reason for i, w, reason in said):
            news.setdefault((one.guidance_id, one.why), []).append(one)
    return [
        GuidanceUnused(
            campaign_id=context.campaign_id,
            cycle=cycle,
            guidance_id=guidance_id,
            why=told[0].why,
            reason=f"{told[0].why}: " + "; ".join(one.reason for one in told),
            node=node,
        )
        for (guidance_id, _), told in news.items()
    ]


def _director(context: Context) -> str:
    return context.campaign.council.director.use


async def _ask_callbacks(context: Context, book: GuidanceBook, cycle: int) -> None:
    """Every callback's sentences into the book.  One that raises, or thinks too long, is reported."""
    for callback in context.on_guidance:
        name = getattr(callback, "__qualname__", type(callback).__name__)
        try:
            async with asyncio.timeout(context.callback_timeout_s):
                said = await _said(callback, context, cycle)
            for text in said:
                book.give(context.campaign_id, text, author=name, door="callback", cycle=cycle)
        except Exception as error:  # noqa: BLE001  # whatever a callback raises, the cycle goes on
            fault = error.what if isinstance(error, RatchetError) else f"{type(error).__name__}: {error}"
            context.tell(
                RoleFailed(campaign_id=context.campaign_id, cycle=cycle, role="guidance", name=name, error=fault)
            )


async def _said(callback: GuidanceCallback, context: Context, cycle: int) -> list[str]:
    """What a callback answers; a plain one is called in a thread, so that it blocks nobody."""
    case = context.case(cycle)
    if inspect.iscoroutinefunction(callback) or inspect.iscoroutinefunction(getattr(callback, "__call__", None)):  # noqa: B004
        said = await callback(case)  # type: ignore[misc]  # it is a coroutine function
    else:
        said = await asyncio.to_thread(callback, case)
        if inspect.isawaitable(said):
            said = await said
    if said is None:
        return []
    return [said] if isinstance(said, str) else [str(text) for text in _first(said)]


def _first(said: Iterable[Any]) -> list[Any]:
    """At most so many: an endless answer would never end."""
    out: list[Any] = []
    for one in said:
        out.append(one)
        if len(out) == MOST_OF_ONE_CALLBACK:
            break
    return out


async def _recall(context: Context, book: GuidanceBook, cycle: int) -> None:
    """In the first cycle: what was said to campaigns like this one, as suggestions."""
    if cycle != 1 or context.recall is None or context.campaign.kind != "experiment":
        return
    search = context.recall.search
    found = await asyncio.to_thread(search, question(context.campaign), 5, collection="guidance")
    words = _vocabulary(context, cycle)
    seen: set[str] = set()
    for memory in found:
        text = sentence(memory, context.campaign_id)
        if text is None or text in seen or len(seen) == MOST_RECALLED:
            continue
        reading = read(text, words)
        if not reading.unread and any(softened(reading.meanings)):  # a focus or a mode is no suggestion
            seen.add(text)
            book.give(
                context.campaign_id,
                text,
                author=memory.campaign_id,
                door="recall",
                cycle=cycle,
                recalled_from=memory.id,
            )


def _remember(context: Context, told: Iterable[AnyEvent]) -> None:
    """What people said, and was understood, for later campaigns."""
    context.remember(
        [
            as_memory(event.guidance, context.campaign)
            for event in told
            if isinstance(event, GuidanceDelivered) and event.guidance.meanings and event.guidance.door != "recall"
        ]
    )
