"""`memory search` and `memory rebuild`: what was remembered; the index can always be made again from the ledger."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from core.errors import UsageError
from service.output import Output
from service.state import open_folder
from service.tables import columns

if TYPE_CHECKING:
    from memory.recall import Recall

__all__ = ["memory"]


def memory(args: argparse.Namespace, output: Output) -> int:
    """`memory search TEXT… [-k N] [--collection NAME]`, `memory rebuild`"""
    folder = open_folder(args, must_exist=True)
    with folder.open_ledger() as ledger:
        if args.action == "rebuild":
            with folder.open_recall(ledger, unchecked=True) as recall:
                return _rebuild(output, recall)
        if args.k < 1:
            raise UsageError(f"-k {args.k} is not a number of results", where="command line", hint="give 1 or more")
        with folder.open_recall(ledger, read_only=True) as recall:
            return _search(args, output, recall)


def _search(args: argparse.Namespace, output: Output, recall: Recall) -> int:
    text = " ".join(args.text)
    found = recall.search(text, args.k, collection=args.collection)
    rows = [(f"{m.similarity:.3f}", m.kind, m.id, m.campaign_id, m.text) for m in found]
    for note in recall.notes:
        output.say(note)
    shown = columns(rows, ("alike", "kind", "memory", "campaign", "text")) if rows else "nothing was remembered yet"
    told = [m.model_dump(mode="json", exclude={"version"}) for m in found]
    output.result({"text": text, "memories": told}, shown)
    return 0


def _rebuild(output: Output, recall: Recall) -> int:
    count = recall.rebuild()
    output.result({"memories": count}, f"the index holds {count} memories, made again from the ledger")
    return 0
