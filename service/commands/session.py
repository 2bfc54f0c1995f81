"""The interactive session: `python run_graph.py` in a terminal, or `--interactive` from anywhere."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import ExitStack, redirect_stderr, redirect_stdout

from core.errors import UsageError
from service.state import settings_of
from service.telemetry import telemetry

__all__ = ["session"]

HISTORY = "session_history"


def session(args: argparse.Namespace) -> int:
    """Answers the exit code: that of the last command that failed, or 128 and the signal that ended it."""
    from service.session.lines import Lines
    from service.session.output import SessionOutput
    from service.session.session import Session

    if sys.stdin is None or sys.stdin.closed:
        raise UsageError("there is no standard input to read commands from", where="--interactive")
    settings = settings_of(args)  # what is wrong with them is told before anything else
    if not _can_prompt(args):
        output = SessionOutput.of(args)
        talk, lines = Session(args, output), Lines(output)
        output.on_closed = talk.unread
        try:
            with telemetry("session", output):
                return talk.talk(lines)
        finally:
            lines.close()

    from service.session.completion import Paths, WordCompleter
    from service.session.prompt import Prompt
    from service.session.screen import Screen

    with ExitStack() as stack:
        output, screen = SessionOutput.of(args), Screen(sys.stdout)
        stack.enter_context(redirect_stdout(screen))
        if sys.stderr.isatty():
            stack.enter_context(redirect_stderr(screen))
        talk = Session(args, output, screen)
        talk.paths = Paths()
        talk.paths.look()
        prompt = Prompt(
            screen,
            history=settings.home.absolute() / HISTORY,
            completer=WordCompleter(talk.paths, talk.known_ids),
            bar=talk.rows,
            look=output.look,
            interrupted=talk.interrupted,
        )
        with telemetry("session", output):
            return talk.talk(prompt)


def _can_prompt(args: argparse.Namespace) -> bool:
    """Whether the terminal can move its cursor, and may."""
    plain = args.plain or args.json or args.json_stream or os.environ.get("TERM") in (None, "", "dumb")
    return not plain and sys.stdin.isatty() and sys.stdout.isatty()
