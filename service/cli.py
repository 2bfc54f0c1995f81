"""The command line: parse first, import after.  `--help` imports nothing heavy."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from core.errors import RatchetError, UnavailableError
from service.output import Output
from service.telemetry import telemetry
from service.words.commands import CODE_FEEDBACK, COMMANDS, parser
from service.words.parser import HelpAsked

__all__ = ["main"]


def _long_form(words: Sequence[str]) -> list[str]:
    """`--code-feedback FILE …` as `feedback FILE …`."""
    files: list[str] = []
    rest: list[str] = []
    for word in (at := iter(words)):
        if word == CODE_FEEDBACK:
            files += [value for value in [next(at, None)] if value is not None]
        elif word.startswith(f"{CODE_FEEDBACK}="):
            files.append(word.partition("=")[2])
        else:
            rest.append(word)
    return ["feedback", *files, *rest] if len(rest) < len(words) else list(words)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; answers its exit code.  Every error is shown once, in three lines or as JSON."""
    # before numpy is loaded: on small matrices threads only wait for one another, at ten times the processor time
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    words = list(sys.argv[1:] if argv is None else argv)
    output = Output.from_words(words)
    try:
        args = parser().parse_args(_long_form(words))
        if args.command is None:
            if not _wants_session(args):
                raise HelpAsked(parser().format_help().rstrip())
            from service.commands.session import session

            return session(args)
        output = Output.from_args(args)
        with telemetry(args.command, output):
            module = importlib.import_module(COMMANDS[args.command])
            code: int = getattr(module, args.command.replace("-", "_"))(args, output)
        return code
    except HelpAsked as asked:
        output.result({"help": str(asked)}, str(asked))
        return 0
    except RatchetError as error:
        return _told(output, error)
    except KeyboardInterrupt:
        return _told(output, InterruptedByUserError("interrupted"))
    except OSError as error:
        return _told(output, UnavailableError(f"the system refused: {error.strerror or error}", where=_file(error)))
    except Exception as error:
        if "--debug" in words:
            raise
        what = f"internal error: {type(error).__name__}: {error}"
        return _told(output, RatchetError(what, hint="repeat it with --debug for the traceback"))


def _wants_session(args: argparse.Namespace) -> bool:
    """Whether a call without a command opens the session: asked for, or in a terminal."""
    if args.interactive:
        return True
    try:
        return sys.stdin.isatty() and sys.stdout.isatty() and not (args.json or args.json_stream)
    except (AttributeError, ValueError):  # closed
        return False


class InterruptedByUserError(RatchetError):
    """Ctrl-C outside a campaign."""

    exit_code = 130


def _told(output: Output, error: RatchetError) -> int:
    output.error(error)
    return error.exit_code


def _file(error: OSError) -> str:
    return "" if error.filename is None else str(error.filename)
