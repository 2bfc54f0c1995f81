"""A stub of a language model on loopback, over OpenAI's protocol: it answers with the next of a list of edits."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.rivals.edits import Edit, fillers
from tests.model_servers.openai_stand_in import Asked, Server, start

__all__ = ["Stub"]


class Stub:
    """Edits in their order, then fillers.  `told` are the labels of what was answered, one a request."""

    def __init__(self, edits: Iterable[Edit] = (), latency_s: float = 0.0) -> None:
        self.told: list[str] = []
        self._next = chain(edits, fillers())
        self.server: Server = start(self._answer, models=("stub",), latency_s=latency_s)

    @property
    def url(self) -> str:
        return f"{self.server.url}/v1"

    def __enter__(self) -> Stub:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()

    def _answer(self, asked: Asked) -> str | None:
        if asked.schema and "edits" not in asked.schema.get("properties", {}):
            self.told.append("(other role)")
            return None
        edit = next(self._next)
        self.told.append(edit.label)
        return _as_json(edit) if asked.schema else _as_blocks(edit)


def _as_json(edit: Edit) -> str:
    blocks = [{"path": path, "search": search, "replace": replace} for path, search, replace in edit.blocks]
    return json.dumps({"reason": f"edit {edit.label}", "edits": blocks})


def _as_blocks(edit: Edit) -> str:
    """As both rivals ask for it: SEARCH/REPLACE blocks, with the tags that ShinkaEvolve wants around them."""
    blocks = "\n".join(f"<<<<<<< SEARCH\n{s}=======\n{r}>>>>>>> REPLACE\n" for _, s, r in edit.blocks)
    return f"<NAME>\n{edit.label}\n</NAME>\n\n<DESCRIPTION>\nedit\n</DESCRIPTION>\n\n<DIFF>\n{blocks}</DIFF>\n"
