"""`export [ID] --to …`: a campaign for other programs, as text or in their own stores."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from core.errors import UsageError
from service.escape import escaped
from service.output import Output
from service.state import open_folder, pick_campaign, settings_of

if TYPE_CHECKING:
    from memory.ledger import Ledger, StoredCampaign
    from memory.state_folder import StateFolder
    from service.exports.rows import What

__all__ = ["export"]

STDOUT = "-"
TEXTS = ("csv", "json", "traces", "prometheus")


def export(args: argparse.Namespace, output: Output) -> int:
    """`export [ID] --to csv|json|traces|prometheus|optuna|mlflow [--what …] [--out PATH] [--force]`"""
    _check_usage(args, output)
    folder = open_folder(args, must_exist=True)
    with folder.open_ledger() as ledger:
        if args.to == "prometheus":
            from service.exports.prometheus import prometheus_text

            return _write([prometheus_text(ledger)], args, output, {"to": "prometheus"})
        stored = pick_campaign(ledger, args.id)
        if args.to in TEXTS:
            return _write(_text(args, ledger, stored), args, output, {"to": args.to, "campaign": stored.id})
        return _store(args, output, folder, ledger, stored)


def _check_usage(args: argparse.Namespace, output: Output) -> None:
    wrong = ""
    if args.what is not None and args.to not in ("csv", "json"):
        wrong = f"--what chooses the rows of csv and json; {args.to} has what it has"
    elif args.to == "prometheus" and args.id is not None:
        wrong = "prometheus is told of the whole ledger, not of one campaign"
    elif args.force and args.to not in TEXTS:
        wrong = f"--force writes over a file; {args.to} only ever adds"
    elif args.to in TEXTS and _out(args) == STDOUT and output.mode != "text":
        wrong = "the export itself would go to stdout, and JSON was asked for there"
    elif args.to not in TEXTS and args.out == STDOUT:
        wrong = f"{args.to} is a store, which stdout cannot be"
    if wrong:
        raise UsageError(wrong, where="command line", hint="`python run_graph.py export --help`")


def _out(args: argparse.Namespace) -> str:
    return str(args.out or STDOUT)


def _text(args: argparse.Namespace, ledger: Ledger, stored: StoredCampaign) -> Iterable[str]:
    if args.to == "traces":
        from service.exports.traces import otlp_lines

        return otlp_lines(ledger, stored)
    from service.exports.rows import rows_of
    from service.exports.text import csv_text, json_text

    what: What = args.what or "trials"
    rows = rows_of(what, ledger, stored)
    return csv_text(what, rows) if args.to == "csv" else json_text(what, rows)


def _write(lines: Iterable[str], args: argparse.Namespace, output: Output, told: dict[str, str]) -> int:
    if _out(args) == STDOUT:
        output.data("".join(lines).removesuffix("\n"))
        return 0
    from service.exports.files import write_new

    count = write_new(lines, Path(args.out), force=args.force)
    output.result({**told, "file": args.out, "characters": count}, f"written: {escaped(args.out)}")
    return 0


def _store(
    args: argparse.Namespace, output: Output, folder: StateFolder, ledger: Ledger, stored: StoredCampaign
) -> int:
    from service.exports.leaving import is_here, leave_to_send

    out = args.out or str(_default(folder, args.to))
    if not is_here(out):
        settings = settings_of(args)
        what, host = f"export to {args.to}", urlsplit(out).hostname or ""
        leave_to_send(ledger, what, host, policy_file=settings.policy_file, safe_mode=settings.safe_mode)
    output.say(f"writing {stored.id} (Ctrl-C is safe: the same command goes on)")
    if args.to == "optuna":
        from service.exports.optuna_study import export_optuna

        done, opener = export_optuna(ledger, stored, out), "optuna-dashboard {}"
    else:
        from service.exports.mlflow_runs import export_mlflow

        done, opener = export_mlflow(folder, ledger, stored, out), "mlflow ui --backend-store-uri {}"
    where = _without_password(done.where)
    told = {"to": args.to, "campaign": stored.id, "where": where, "added": done.added, "total": done.total}
    look = f"\nlook at it: {opener.format(escaped(where))}" if is_here(out) else ""
    noun = "trial" if done.added == 1 else "trials"
    output.result(told, f"{stored.id}: {done.added} {noun} added, {done.total} there, in {escaped(where)}{look}")
    return 0


def _default(folder: StateFolder, to: str) -> Path:
    """One store for all campaigns of the state folder."""
    place = folder.home / "exports"
    place.mkdir(mode=0o700, exist_ok=True)
    return place / f"{to}.db"


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return url.replace(f":{parts.password}@", ":***@", 1) if parts.password else url
