"""`rewind [CAMPAIGN] POINT`: what going back would mean, or a fork that begins there.  Nothing is ever deleted."""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from core.errors import NotFoundError, RatchetError, UsageError
from service.escape import escaped
from service.output import Output
from service.state import campaign_overrides, local_desk, pick_campaign, resume_command
from service.tables import columns, fields

if TYPE_CHECKING:
    from graph.forking import Share
    from graph.points import Point
    from graph.user_files import UserFiles
    from memory.file_changes import FileChange
    from memory.ledger import Ledger, StoredCampaign
    from service.operations.desk import Desk

__all__ = ["rewind"]


def rewind(args: argparse.Namespace, output: Output) -> int:
    """`rewind [CAMPAIGN] [POINT] [--fork [NAME]] [--yes] [--what state|code|both] [--set K=V] [--guide TEXT] …`"""
    from graph.forking import check_forked
    from graph.points import find_point

    with local_desk(args) as desk:
        stored, text = _meant(desk.ledger, args.where)
        check_forked(stored)
        if text is None:
            _must_have_point(args)
            return _list(output, desk, stored)
        found = find_point(desk.folder, desk.ledger, stored, text)
        forks = args.what != "code" and (args.fork is not None or args.yes or args.edit)
        if args.what == "code" and (args.fork is not None or args.edit or args.guide or args.set):
            raise UsageError("a fork is of the state", where="--what code", hint="--what state, or --what both")
        if not forks and (args.guide or args.set):
            raise UsageError("only a fork can be begun otherwise", where="command line", hint="add --fork")
        if not forks and not args.yes:
            return _preview(args, output, desk, stored, found)
        return _carry_out(args, output, desk, stored, found, forks=forks)


def _meant(ledger: Ledger, words: list[str]) -> tuple[StoredCampaign, str | None]:
    """The campaign and the words for the point, where there are any."""
    if len(words) > 2:
        raise UsageError(f"{words[2]} is not understood here", where="command line", hint="rewind [CAMPAIGN] POINT")
    if len(words) == 2:
        return pick_campaign(ledger, words[0]), words[1]
    if words and not _is_point(words[0]):
        return pick_campaign(ledger, words[0]), None
    return pick_campaign(ledger, None), words[0] if words else None


def _is_point(word: str) -> bool:
    from core.forks import ForkPoint
    from graph.points import CHECKPOINT

    if CHECKPOINT.fullmatch(word):
        return True
    try:
        ForkPoint.parse(word)
    except UsageError:
        return "/" in word
    return True


def _must_have_point(args: argparse.Namespace) -> None:
    if args.fork is not None or args.yes or args.edit:
        raise UsageError("no point is named", where="command line", hint="`python run_graph.py rewind` lists them")


def _list(output: Output, desk: Desk, stored: StoredCampaign) -> int:
    from service.operations.forks import checkpoints
    from service.operations.ids import OfCampaign

    told = checkpoints(OfCampaign(campaign=stored.id), desk).model_dump(mode="json")
    rows = [
        (one["point"], time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one["at"])), one["checkpoint"] or "")
        for one in told["points"]
    ]
    text = columns(rows, ("point", "at", "checkpoint")) if rows else f"{stored.id} has no point yet"
    if told["forks"]:
        text += f"\nforks: {', '.join(told['forks'])}"
    output.result(told, text)
    return 0


def _preview(args: argparse.Namespace, output: Output, desk: Desk, stored: StoredCampaign, found: Point) -> int:
    from graph.forking import share_of

    told: dict[str, Any] = {"campaign": stored.id, "point": str(found.point), "changed": False}
    rows: list[tuple[str, object]] = [(stored.id, f"at {found.point}; nothing was changed")]
    if args.what != "code":
        kept, beyond = share_of(desk.ledger, stored, found.point)
        told |= {"kept": asdict(kept), "left": asdict(beyond)}
        rows += [("a fork has", _share_text(kept)), ("it has not", _share_text(beyond))]
    if args.what != "state":
        changes = _files(desk).since(_moment(desk.ledger, stored, found))
        told["files"] = [{"change": one.position, "by": one.what, "files": _paths(one)} for one in changes]
        rows += [("undone", f"{escaped(one.what)}: {escaped(', '.join(_paths(one)))}") for one in changes]
        rows += [] if changes else [("undone", "no change of your files")]
    do = "--yes" if args.what != "state" else "--fork [NAME]"
    rows.append(("do it with", f"python run_graph.py rewind {stored.id} {found.point} {_what(args)}{do}"))
    output.result(told, fields(rows))
    return 0


def _carry_out(
    args: argparse.Namespace, output: Output, desk: Desk, stored: StoredCampaign, found: Point, *, forks: bool
) -> int:
    told: dict[str, Any] = {"parent": stored.id, "point": str(found.point)}
    lines: list[str] = []
    if forks:  # first: whatever becomes of the files, a fork takes nothing away
        made = _fork(args, desk, stored, found)
        told |= {"campaign": made.id, "resume": resume_command(made.id)}
        lines += [
            f"{made.id} is a fork of {stored.id} at {found.point}, and the current campaign; nothing was run",
            f"go on with: {resume_command(made.id)}",
            f"{stored.id} is as it was: {resume_command(stored.id)}",
        ]
    if args.what != "state" and args.yes:
        undone = _undo(args, desk, stored, found)
        told["files"] = [{"change": one.position, "by": one.what, "files": _paths(one)} for one in undone]
        lines += [f"undone: {escaped(one.what)}: {escaped(', '.join(_paths(one)))}" for one in undone]
        lines += [] if undone else ["no change of your files was made since"]
    output.result(told, "\n".join(lines))
    return 0


def _fork(args: argparse.Namespace, desk: Desk, stored: StoredCampaign, found: Point) -> StoredCampaign:
    from core.policy import Action
    from graph.fork_edits import editable
    from graph.forking import fork
    from graph.shared_past import events_up_to
    from service.editing import edit_yaml
    from service.policy import ask_locally

    details = {"command": "rewind", "campaign": stored.id, "at": str(found.point)}
    ask_locally(desk.gate, Action.CAMPAIGN_START, risk_level="low", details=details)
    made: list[StoredCampaign] = []

    def make(edits: dict[str, Any]) -> None:
        told = fork(
            desk.ledger,
            stored,
            found.point,
            name=args.fork or None,
            sets=campaign_overrides(args),
            guidance=args.guide or (),
            edits=edits,
            checkpoint=found.checkpoint,
            by=desk.asker.actor,
        )
        made.append(told)

    if args.edit:
        shown = editable(events_up_to(desk.ledger.events(stored.id), found.point), stored.id, found.point)
        edit_yaml(
            shown,
            make,
            name="state",
            title=f"{stored.id} at {found.point}",
            note="Save and leave to make the fork with this; without a change nothing is made.",
            hint="leave out --edit for a fork of it as it is",
        )
    else:
        make({})
    return made[0]


def _undo(args: argparse.Namespace, desk: Desk, stored: StoredCampaign, found: Point) -> list[FileChange]:
    """Every change of the user's files since the point, the newest first; it ends at the first that does not fit."""
    from core.policy import Action
    from service.policy import ask_locally

    files = _files(desk)
    planned = files.since(_moment(desk.ledger, stored, found))
    if not planned:
        return []
    count = sum(len(one.files) for one in planned)
    details = {"command": args.command, "files": [path for one in planned for path in _paths(one)][:50]}
    ask_locally(desk.gate, Action.CODE_APPLY, change_count=count, risk_level="low", verified=True, details=details)
    done: list[FileChange] = []
    for _ in planned:
        try:
            done.append(files.undo())
        except RatchetError as error:
            if not done:
                raise
            undone = ", ".join(f"{one.what}" for one in done)
            raise type(error)(f"{error.what}; undone before: {undone}", where=error.where, hint=error.hint) from error
    return done


def _moment(ledger: Ledger, stored: StoredCampaign, found: Point) -> float:
    """When the campaign was at the point."""
    from graph.shared_past import events_up_to

    past = events_up_to(ledger.events(stored.id), found.point)
    if not past:
        raise NotFoundError(f"{stored.id} has no point {found.point}", where="point")
    return max(event.at for event in past)


def _files(desk: Desk) -> UserFiles:
    from graph.user_files import UserFiles

    return UserFiles(desk.folder, desk.ledger)


def _share_text(share: Share) -> str:
    best = "" if share.best is None else f", best {share.best:.5g}"
    verdict = ", the verdict" if share.verdict else ""
    return f"{share.cycles} cycles, {share.trials} trials, {share.lessons} lessons{best}{verdict}"


def _what(args: argparse.Namespace) -> str:
    return "" if args.what == "state" else f"--what {args.what} "


def _paths(change: FileChange) -> list[str]:
    return [f"{change.root.rstrip('/')}/{file.path}" for file in change.files]
