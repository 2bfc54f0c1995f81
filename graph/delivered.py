"""What a delivery came to, and the effect in the ledger that makes it happen once."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from core.ids import content_hash
from memory.ledger import Ledger

__all__ = ["KIND", "Delivered", "Once", "delivered_before"]

KIND = "delivery"
"""Of the effects."""


@dataclass(frozen=True)
class Delivered:
    """What a delivery came to.  `state`: made now, found (it was there already), or nothing (the files say it already).

    `merged` are files that are no longer the candidate's own text, because the user's have gone on; `differ` are other
    files of the base that are not what was measured; `undo` is a command, or a sentence where there is none.
    """

    kind: Literal["branch", "push", "files"]
    state: Literal["made", "found", "nothing"]
    where: str
    branch: str = ""
    commit: str = ""
    parent: str = ""
    files: tuple[str, ...] = ()
    merged: tuple[str, ...] = ()
    differ: tuple[str, ...] = ()
    backups: tuple[tuple[str, str], ...] = ()
    undo: str = ""

    def as_json(self) -> dict[str, Any]:
        return json.loads(json.dumps(asdict(self)))  # type: ignore[no-any-return]

    @classmethod
    def from_json(cls, text: str) -> Delivered:
        told = json.loads(text)
        told |= {name: tuple(told[name]) for name in ("files", "merged", "differ")}
        return cls(**told | {"backups": tuple((file, copy) for file, copy in told["backups"])})


class Once:
    """The effect behind one delivery.

    `number` counts those of the same request: a person may undo one and ask again.
    """

    def __init__(self, ledger: Ledger, campaign_id: str, request: dict[str, Any]) -> None:
        self._ledger = ledger
        self._campaign_id = campaign_id
        self._request = request
        told = [
            e for e in ledger.effects.of(campaign_id, KIND) if {**e.request, "number": 0} == {**request, "number": 0}
        ]
        self._finished = [effect for effect in told if effect.state == "finished"]
        self.number = len(self._finished) + 1
        self.effect = next((effect for effect in told if effect.state != "finished"), None)

    def begin(self, started: dict[str, Any]) -> None:
        """Claim the effect, or take it over, and note what is about to be made."""
        request = {**self._request, "number": self.number}
        key = f"{KIND}:{content_hash(self._campaign_id, request)[:32]}"
        self.effect = self._ledger.effects.begin(key, KIND, self._campaign_id, request)
        self._ledger.effects.started(self.effect, json.dumps(started, sort_keys=True))

    def end(self, told: Delivered) -> Delivered:
        """Keep the result; what was found and never begun here needs none."""
        if self.effect is not None:
            effect = self._ledger.effects.begin(self.effect.key, KIND, self._campaign_id, self.effect.request)
            self._ledger.effects.finish(effect, json.dumps(told.as_json(), sort_keys=True))
        return told

    def found(self) -> Delivered | None:
        """The last delivery of this request, as it was told; None where there is none."""
        return replace(Delivered.from_json(self._finished[-1].result), state="found") if self._finished else None


def delivered_before(ledger: Ledger, campaign_id: str, candidate: str) -> list[Delivered]:
    """Where a candidate was given to, oldest first; of one request that was repeated, the last time."""
    last: dict[str, Delivered] = {}
    for effect in ledger.effects.of(campaign_id, KIND):
        if effect.state == "finished" and effect.request.get("candidate") == candidate:
            last[content_hash({**effect.request, "number": 0})] = Delivered.from_json(effect.result)
    return list(last.values())
