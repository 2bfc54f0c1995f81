"""What a webhook says: one event as JSON without secrets, under an id that stays the same however often it is sent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, get_args

from core.errors import ConfigError, nearest
from core.events import AnyEvent, Event
from core.ids import content_hash
from core.scrub import scrubbed_data
from memory.ledger import StoredCampaign
from runtime.webhooks.sending import Message
from service.output import finite

__all__ = ["IMPORTANT", "chosen_types", "message_of", "test_message"]

MAX_BYTES = 64 * 1024
"""Of a body; longer data is left out, with its size told."""
KEPT = {kind.__name__: kind for kind in get_args(get_args(AnyEvent)[0]) if kind.kept}
WISHED = ("ApprovalAsked", "BestImproved", "CampaignFinished", "CampaignInterrupted", "VerdictReached")
IMPORTANT = tuple(name for name in WISHED if name in KEPT)
"""The types that are sent where the settings name none."""


def chosen_types(names: Sequence[str]) -> tuple[type[AnyEvent], ...]:
    """The classes of these types of events, of the important ones for none.  Raises ConfigError for an unknown name."""
    for name in names:
        if name not in KEPT:
            raise ConfigError(f"there is no event {name!r}", where="webhook_events", hint=nearest(name, KEPT))
    return tuple(KEPT[name] for name in dict.fromkeys(names or IMPORTANT))


def message_of(event: Event, stored: StoredCampaign) -> Message:
    """The event as a message.  Its id is that of the event: a receiver that has seen it can pass it over."""
    told = event.model_dump(mode="json", exclude={"campaign_id", "seq", "at", "version", "type"})
    message_id = "msg_" + content_hash(stored.id, stored.created_at, event.key)[:32]
    return _message(message_id, type(event).__name__, stored.id, event.at, {"seq": event.seq, **told})


def test_message(at: float) -> Message:
    """A message named `test`; each moment's has an id of its own."""
    return _message("msg_" + content_hash("test", at)[:32], "test", "", at, {"text": "a webhook of Ratchet works"})


def _message(message_id: str, kind: str, campaign: str, at: float, data: dict[str, Any]) -> Message:
    head = {
        "id": message_id,
        "type": kind,
        "campaign": campaign,
        "timestamp": datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z"),
    }
    body = _json({**head, "data": scrubbed_data(data)})
    if len(body) > MAX_BYTES:
        body = _json({**head, "data": {"seq": data.get("seq"), "left_out": f"{len(body)} bytes"}})
    return Message(message_id, body)


def _json(value: dict[str, Any]) -> bytes:
    text = json.dumps(finite(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")
