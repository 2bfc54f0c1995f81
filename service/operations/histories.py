"""Histories that stay loaded, brought up to date from the tail of the ledger."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from memory.history import History
from memory.ledger import Ledger

__all__ = ["Histories"]

MOST = 64
"""Histories that are kept; the one not asked for the longest goes first."""


class Histories:
    """The histories of one ledger, also of campaigns that other processes run.

    All catch up together with one query over the newest events of all campaigns: by their number, so that it costs the
    same however long the ledger is.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lock = threading.Lock()
        self._known: OrderedDict[str, History] = OrderedDict()
        self._seq = ledger.last_seq()

    @contextmanager
    def of(self, campaign_id: str) -> Iterator[History]:
        """The history as the ledger has it now; it does not change while this lasts, so be brief."""
        with self._lock:
            self._catch_up()
            yield self._get(campaign_id)

    @contextmanager
    def of_each(self, campaign_ids: Iterable[str]) -> Iterator[Iterator[History]]:
        """Those histories one after the other, as the ledger has them now; they do not change while this lasts."""
        with self._lock:
            self._catch_up()
            yield map(self._get, campaign_ids)

    def _get(self, campaign_id: str) -> History:
        history = self._known.pop(campaign_id, None) or History.load(self._ledger, campaign_id)
        self._known[campaign_id] = history
        while len(self._known) > MOST:
            self._known.popitem(last=False)
        return history

    def _catch_up(self) -> None:
        for event in self._ledger.events(after=self._seq):
            self._seq = event.seq
            if (history := self._known.get(event.campaign_id)) is not None:
                history.apply(event)
