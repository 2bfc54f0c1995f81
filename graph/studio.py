"""The cycle for `langgraph dev` and its Studio: the same graph, with a campaign already in its hands.

`langgraph.json` names `council`.  Its campaign is the file at RATCHET_CAMPAIGN (default: the shipped example), its
store the state folder as everywhere.  A run is one cycle: `{"cycle": 0}` for the next one, or its number.  What a cycle
told is kept in the ledger, whatever becomes of the server's own checkpoints.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import wraps
from inspect import Parameter, Signature, iscoroutinefunction
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.runtime import Runtime

from core.errors import ConfigError
from core.settings import load_settings
from graph import nodes
from graph.build import build
from graph.campaign import find_or_create, opened
from graph.context import Context
from graph.loading import load_campaign
from graph.measure import measure_baseline
from graph.orchestrator import EXAMPLE
from memory.ledger import Ledger
from memory.state_folder import StateFolder

__all__ = ["VARIABLE", "council"]

VARIABLE = "RATCHET_CAMPAIGN"
FOR_EXECUTION = "__is_for_execution__"
"""Set by the server in the configuration of a graph that is to run; others are only looked at."""


@asynccontextmanager
async def council(config: RunnableConfig) -> AsyncIterator[Any]:
    """The graph; for a run, with the campaign's lease.  The first node measures the baseline where there is none.

    Raises BusyError while another process runs the campaign.
    """
    if not config.get("configurable", {}).get(FOR_EXECUTION):
        yield build(hand=_handing(None, None))
        return
    folder = StateFolder.of(load_settings({}, {}))
    with _ledger(folder) as ledger:
        stored, _ = find_or_create(ledger, load_campaign(Path(os.environ.get(VARIABLE) or EXAMPLE)))
        with ledger.leases.held(f"campaign {stored.id}"):
            async with opened(folder, ledger, stored) as context:
                yield build(hand=_handing(context, folder))


def _ledger(folder: StateFolder) -> Ledger:
    """Raises ConfigError where the server watches for calls that wait: it would refuse each of the ledger's."""
    try:
        return folder.open_ledger()
    except Exception as error:
        if type(error).__name__ != "BlockingError":
            raise
        raise ConfigError(
            "the ledger is a file, and this server refuses to wait for one",
            where="langgraph dev",
            hint="start it with `langgraph dev --allow-blocking`",
        ) from None


def _handing(context: Context | None, folder: StateFolder | None) -> Callable[[Any], Any]:
    """Nodes and routes with the context in their hands; without one they cannot run."""

    def hand(function: Any) -> Any:
        @wraps(function)
        def route(state: Any) -> Any:
            return function(state, Runtime(context=context))

        @wraps(function)
        async def node(state: Any) -> Any:
            if function is not nodes.director:
                return await function(state, Runtime(context=context))
            assert context is not None
            assert folder is not None
            number = _number(state["cycle"], context)
            if context.recall is None:
                context.take_recall(await asyncio.to_thread(folder.open_recall, context.ledger))
            await measure_baseline(context)
            return {**await function({"cycle": number}, Runtime(context=context)), "cycle": number}

        bound: Any = node if iscoroutinefunction(function) else route
        bound.__signature__ = Signature([Parameter("state", Parameter.POSITIONAL_OR_KEYWORD)])
        return bound

    return hand


def _number(asked: int, context: Context) -> int:
    """The cycle that is meant.  Raises ConfigError for one that is over, or lies ahead of the next."""
    following = context.history.last_finished_cycle + 1
    if asked not in (0, following):
        raise ConfigError(
            f"cycle {asked} is not the next one", where=context.campaign_id, hint=f"try {following}, or 0"
        )
    return following
