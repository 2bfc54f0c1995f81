"""`memory search` and `memory rebuild`: what was remembered; the index can always be made again from the ledger."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from pydantic import ValidationError

from core.errors import UsageError
from core.validation import config_error
from service.output import Output
from service.state import local_desk, open_folder
from service.tables import columns

if TYPE_CHECKING:
    from memory.recall import Recall

__all__ = ["memory"]


def memory(args: argparse.Namespace, output: Output) -> int:
    """`memory search TEXT… [-k N] [--collection NAME]`, `memory rebuild`"""
    if args.action == "rebuild":
        folder = open_folder(args, must_exist=True)
        with folder.open_ledger() as ledger, folder.open_recall(ledger, unchecked=True) as recall:
            return _rebuild(output, recall)
    return _search(args, output)


def _search(args: argparse.Namespace, output: Output) -> int:
    from service.operations.memories import Search, search

    try:
        asked = Search(text=" ".join(args.text), k=args.k, collection=args.collection)
    except ValidationError as error:
        told = config_error(error, Search, "command line")
        raise UsageError(told.what, where=told.where, hint=told.hint) from error
    with local_desk(args) as desk:
        found = search(asked, desk)
    for note in found.notes:
        output.say(note)
    rows = [(f"{m.similarity:.3f}", m.kind, m.id, m.campaign_id, m.text) for m in found.memories]
    shown = columns(rows, ("alike", "kind", "memory", "campaign", "text")) if rows else "nothing was remembered yet"
    output.result(found.model_dump(mode="json"), shown)
    return 0


def _rebuild(output: Output, recall: Recall) -> int:
    count = recall.rebuild()
    output.result({"memories": count}, f"the index holds {count} memories, made again from the ledger")
    return 0
