"""`report [ID]`: write the HTML report again, or for a campaign that is still running."""

from __future__ import annotations

import argparse
from pathlib import Path

from service.output import Output
from service.state import open_folder, pick_campaign

__all__ = ["report"]


def report(args: argparse.Namespace, output: Output) -> int:
    """`report [ID] [--out FILE]`"""
    from memory.history import History
    from service.report import write_report

    folder = open_folder(args, must_exist=True)
    with folder.open_ledger() as ledger:
        stored = pick_campaign(ledger, args.id)
        history = History.load(ledger, stored.id)
    path = write_report(folder, stored, history, Path(args.out) if args.out else None)
    output.result({"campaign": stored.id, "report": str(path.absolute())}, f"report: {path.absolute()}")
    return 0
