"""`report [ID]`: write the HTML report again, or for a campaign that is still running; on a live service, of its last
whole cycle."""

from __future__ import annotations

import argparse
from pathlib import Path

from service.output import Output
from service.state import open_folder, pick_campaign

__all__ = ["report"]


def report(args: argparse.Namespace, output: Output) -> int:
    """`report [ID] [--out FILE]`"""
    from memory.history import History
    from service.improvement_report import write_cycle_report
    from service.live_end import cycle_reports
    from service.report import write_report

    folder = open_folder(args, must_exist=True)
    with folder.open_ledger() as ledger:
        stored = pick_campaign(ledger, args.id)
        history = History.load(ledger, stored.id)
    out = Path(args.out) if args.out else None
    reports = cycle_reports(history)
    path = (
        write_cycle_report(folder, reports[-1], history, out) if reports else write_report(folder, stored, history, out)
    )
    output.result({"campaign": stored.id, "report": str(path.absolute())}, f"report: {path.absolute()}")
    return 0
