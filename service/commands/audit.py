"""`audit`, `audit verify`, `audit export FILE`: every decision of the policy, and whether the record is whole."""

from __future__ import annotations

import argparse
import re
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.campaign import parse_duration
from core.errors import UsageError, nearest
from core.ids import system_clock
from core.policy import Action
from service.output import Output
from service.state import open_folder
from service.tables import columns

if TYPE_CHECKING:
    from memory.audit import Audit, AuditHead
    from memory.audit_export import AuditFormat

__all__ = ["audit"]


def audit(args: argparse.Namespace, output: Output) -> int:
    """`audit [--action A] [--actor NAME] …`, `audit verify [--head N:HASH]`, `audit export FILE`"""
    from memory.audit import Audit

    with open_folder(args, must_exist=True).open_ledger() as ledger:
        kept = Audit(ledger.database)
        if args.audit_command == "verify":
            return _verify(kept, _head(args.head), output)
        if args.audit_command == "export":
            return _export(kept, args, output)
        return _list(kept, args, output)


def _list(kept: Audit, args: argparse.Namespace, output: Output) -> int:
    from service.operations.governance import older_than, page_of

    if args.limit < 1:
        raise UsageError(f"--limit {args.limit} is not a number of entries", where="command line", hint="1 or more")
    found = page_of(kept, before=args.before, limit=args.limit, **_filter(args))
    rows = [
        (e.seq, _time(e.at), e.action, e.decision, f"{e.risk:.2f}", e.rule, e.actor or None, e.route or None, e.reason)
        for e in found
    ]
    heads = ("entry", "at (UTC)", "action", "decision", "risk", "rule", "actor", "route", "why")
    text = columns(rows, heads) if rows else "no decision was kept that fits"
    more = older_than(found, args.limit)
    output.result({"entries": [asdict(e) for e in found], "before": more}, text)
    if more:
        output.say(f"older ones: the same with --before {more}")
    return 0


def _verify(kept: Audit, expected: AuditHead | None, output: Output) -> int:
    found = kept.verify(expected)
    told = {"whole": found.whole, **asdict(found)}
    if found.whole:
        text = f"{found.entries} entries, the chain is whole\nhead {found.head}"
        output.result(told, text)
        if expected is None:
            output.say("a cut end shows only against a head that was kept elsewhere: `audit verify --head N:HASH`")
        return 0
    broken = output.paint("broken", "bad")
    output.result(told, f"the chain is {broken} at entry {found.broken_at}: {found.fault}")
    return 1


def _export(kept: Audit, args: argparse.Namespace, output: Output) -> int:
    from memory.audit_export import export_audit

    path = Path(args.file)
    form: AuditFormat = args.format or ("csv" if path.suffix.lower() == ".csv" else "jsonl")
    count = export_audit(kept.entries(**_filter(args)), path, form)
    head = kept.head()
    output.result(
        {"file": str(path), "format": form, "entries": count, "head": asdict(head)},
        f"{count} entries in {path}\nhead {head}",
    )
    return 0


def _filter(args: argparse.Namespace) -> dict[str, Any]:
    return {
        "action": None if args.what is None else _action(args.what),
        "actor": args.actor,
        "decision": args.decision,
        "tenant": args.tenant,
        "since": None if args.since is None else _moment(args.since),
        "until": None if args.until is None else _moment(args.until),
    }


def _action(word: str) -> str:
    name = word.upper().replace("-", "_")
    if name not in Action.__members__:
        raise UsageError(f"there is no action {word!r}", where="command line", hint=nearest(name, Action.__members__))
    return name


def _moment(text: str) -> float:
    """UTC seconds of `2h` (ago), `2026-11-30` or `2026-11-30T08:00`; without a zone UTC."""
    try:
        return system_clock() - parse_duration(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{text!r} is no time", where="command line", hint="2h (ago), or 2026-11-30T08:00") from error


def _head(text: str | None) -> AuditHead | None:
    from memory.audit import AuditHead

    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,18}):([0-9a-f]{64})", text)
    if not match:
        raise UsageError(
            f"--head {text[:80]!r} is not N:HASH", where="command line", hint="as `audit verify` prints it"
        )
    return AuditHead(int(match[1]), match[2])


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(sep=" ", timespec="seconds").removesuffix("+00:00")
