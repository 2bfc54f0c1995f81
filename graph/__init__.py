"""The wiring: the cycle as a LangGraph graph, its checkpoints, and the running of a campaign.

LangGraph reads LANGGRAPH_STRICT_MSGPACK when it is imported, so it is set here, before any module of ours imports it.
"""

from __future__ import annotations

import os

from core.errors import ConfigError

if os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true").lower() not in ("1", "true", "yes"):
    # without it a tampered checkpoint runs code when it is loaded
    raise ConfigError(
        "LANGGRAPH_STRICT_MSGPACK is switched off",
        where="environment",
        hint="unset it; checkpoints are only read strictly",
    )
