"""The session: lines are read, said and done, until the input ends; a campaign runs beside them."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import logging
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Protocol

from core.approvals import Approval
from core.errors import ConfigError, NotFoundError, RatchetError, UsageError
from service.escape import escaped
from service.session.answering import empty_line
from service.session.doing import doing
from service.session.names import Names
from service.session.output import SessionOutput
from service.session.questions import DOOR, Questions
from service.session.screen import Screen
from service.session.words import ELSEWHERE, WORDS, council_hint, read_line, shortened, split
from service.state import open_folder, settings_of
from service.words.commands import COMMANDS, parser
from service.words.parser import HelpAsked

if TYPE_CHECKING:
    from service.session.completion import Paths
    from service.session.ongoing import Ongoing

__all__ = ["Reader", "Session"]

INTERRUPTED = 130
GRACE_S = 5.0
"""For the running stage, when the program is told to end."""

GLOBALS = ("quiet", "verbose", "json", "json_stream", "plain", "color", "home", "no_input", "seed", "debug")
OTHERS = frozenset(COMMANDS) - frozenset(ELSEWHERE)
RUNS = ("run", "resume")
YES_NO = {"y": "accept", "yes": "accept", "n": "ignore", "no": "ignore"}


class Reader(Protocol):
    """Where lines come from: the prompt, or a pipe."""

    @property
    def is_terminal(self) -> bool: ...

    def line(self) -> str | None: ...

    def end(self) -> None: ...

    def close(self) -> None: ...


class Ended(BaseException):
    """A signal ends the session in the middle of a command."""


class Session:
    """`file` is a campaign that is open and not begun; `campaign` the id of one that is in the ledger."""

    def __init__(self, args: argparse.Namespace, output: SessionOutput, screen: Screen | None = None) -> None:
        self.args, self.output = args, output
        self.names = Names()
        self.file: Path | None = None
        self.campaign: str | None = None
        self.ongoing: Ongoing | None = None
        self.questions: Questions | None = None
        self.asks = False
        self.mode: str | None = None
        self.model: str | None = None
        self.settings: list[str] = []
        self.overrides: list[str] = []
        self.unsaid: list[tuple[str, str]] = []
        self.leaving = False
        self.paths: Paths | None = None
        self._screen = screen
        self._parser = parser()
        self._reader: Reader | None = None
        self._code = 0
        self._busy = False
        self._told: list[int] = []
        self._going = False

    # ---------------------------------------------------------------- the loop

    def talk(self, reader: Reader) -> int:
        """Until the input ends; answers the exit code."""
        self._reader = reader
        logging.getLogger("sqlalchemy").addHandler(logging.NullHandler())  # what an interrupted command left open
        self.asks = reader.is_terminal and not self.args.no_input
        with self._signals():
            try:
                self._greet()
                while not self.leaving and not self._told and (text := reader.line()) is not None:
                    for line in text.splitlines() or [""]:
                        self.take(line)
            except Ended:
                pass
            self._leave(reader)
        return self._exit_code()

    def take(self, line: str) -> None:
        """Do what one line says.  Whatever it is, the session goes on."""
        self._busy = True
        try:
            if self._told:
                raise Ended
            code = self._done(line)
        except RatchetError as error:
            self.output.error(error)
            code = error.exit_code
        except HelpAsked as asked:
            self.output.result({"help": str(asked)}, str(asked))
            code = 0
        except KeyboardInterrupt:
            self.output.say("interrupted")
            code = INTERRUPTED
        except Exception as error:  # no input ends the session
            if self.args.debug:
                raise
            self.output.error(
                RatchetError(f"internal error: {type(error).__name__}: {error}", hint="repeat it with --debug")
            )
            code = RatchetError.exit_code
        finally:
            self._busy = False
        self.note(code)

    def _done(self, line: str) -> int:
        if self.question is not None and (kind := YES_NO.get(line.strip().lower())):
            line = kind
        if not line.strip():
            return empty_line(self)
        said = read_line(line, OTHERS)
        if not said.command:
            return 0
        self.output.command = said.command
        try:
            code = doing(said.command)(self, said.rest)
        except (UsageError, ConfigError, NotFoundError) as error:
            error.hint = council_hint(error.hint, line)
            raise
        if self.paths is not None:
            self.paths.look()
        return code

    def note(self, code: int) -> None:
        """Keep the exit code of what has failed."""
        if code and not (code == INTERRUPTED and self.ongoing is not None and self.ongoing.stopping and not self._told):
            self._code = code

    # -------------------------------------------------------------- what it has

    @property
    def is_running(self) -> bool:
        return self.ongoing is not None and self.ongoing.alive

    @property
    def question(self) -> Approval | None:
        """What stands on the screen and waits for an answer."""
        return self.questions.open if self.questions is not None and self.is_running else None

    def running(self, command: str) -> Ongoing:
        """The running campaign.  Raises UsageError when none runs."""
        if self.ongoing is None or (not self.ongoing.alive and command != "wait"):
            raise UsageError("no campaign runs", where=command, hint="`run` begins one")
        return self.ongoing

    def chosen(self) -> list[str]:
        """The open campaign as a word, where there is one."""
        return [self.campaign] if self.campaign else []

    def choose(self, campaign_id: str) -> None:
        self.campaign, self.file = campaign_id, None

    def words(self, rest: str) -> list[str]:
        """The words of a command, short names as ids."""
        return [self.names.whole(word) for word in split(rest)]

    def parse(self, words: list[str]) -> argparse.Namespace:
        """Words as the command line reads them, with the options of this session.  Raises UsageError."""
        args = self._parser.parse_args(words)
        for name in GLOBALS:
            if getattr(args, name, None) is None:
                setattr(args, name, getattr(self.args, name))
        own = self.overrides if args.command in RUNS else []
        args.set = [*(self.args.set or []), *self.settings, *own, *(args.set or [])]
        if args.command in RUNS:
            args.approvals = args.approvals or self.mode
            if args.command == "run":
                args.model = args.model or self.model
        args.door = DOOR
        return args

    def call(self, words: list[str]) -> int:
        """One command of the command line, in the foreground."""
        args = self.parse(words)
        module = importlib.import_module(COMMANDS[args.command])
        code: int = getattr(module, args.command.replace("-", "_"))(args, self.output)
        return code

    def check_settings(self) -> None:
        """Raises ConfigError when the settings cannot be."""
        settings_of(self.parse(["status"]))

    def screen_held(self) -> contextlib.AbstractContextManager[None]:
        """While another program has the terminal."""
        return self._screen.held() if self._screen is not None else nullcontext()

    def rows(self) -> list[str]:
        """What the bar below the prompt says."""
        if self.ongoing is not None and self.ongoing.alive:
            return self.ongoing.watch.rows()
        at = self.campaign or (str(self.file) if self.file else "no campaign")
        return [escaped(f"{at}  nothing runs  run [n] · help · Ctrl-D leaves")]

    def known_ids(self) -> list[str]:
        """Short names and the campaign, for completion."""
        return [*self.names.known(), *self.chosen()]

    # ------------------------------------------------------------------ signals

    def interrupted(self) -> None:
        """Ctrl-C on an empty line: once stops after the stage, twice now."""
        if self.ongoing is None or not self.ongoing.alive:
            self.output.say("nothing runs; Ctrl-D or `quit` leaves")
        elif self.ongoing.stopping:
            self.output.say("stopping now: the running jobs are ended")
            self.ongoing.now()
        else:
            self.output.say("stopping after this stage; Ctrl-C again stops now")
            self.ongoing.stop("Ctrl-C")

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        before = {
            number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        if number == signal.SIGINT and not self._going and self._reader is not None and self._reader.is_terminal:
            if self._busy:
                raise KeyboardInterrupt
            self.interrupted()
            return
        self._told.append(number)
        if self._going:
            return
        if self._busy:
            raise Ended
        if self._reader is not None:
            self._reader.end()

    def unread(self) -> None:
        """Nobody reads the output any more: leave quietly."""
        self._told.append(signal.SIGPIPE)
        if self._reader is not None:
            self._reader.end()

    # ------------------------------------------------------------------ leaving

    def _leave(self, reader: Reader) -> None:
        """Stop what runs: after its stage, after a while when a signal asks, at once when another comes."""
        self._going = True
        lost = not self._told and not self.leaving and reader.is_terminal and not _is_terminal()
        if lost:
            self._told.append(signal.SIGHUP)
        ongoing = self.ongoing
        if ongoing is not None:
            if ongoing.alive:
                self._stop(ongoing, reader)
            ongoing.close()
        for _, text in self.unsaid:
            self.output.say(escaped(f"no campaign was run, so this was said to nobody: {shortened(text)}"))
        self.output.end(self._exit_code())

    def _stop(self, ongoing: Ongoing, reader: Reader) -> None:
        ended_input = not self.leaving and not self._told and not reader.is_terminal
        why = "stopped by a signal" if self._told else "the session ended"
        self.output.say("stopping after this stage" + ("; `wait` waits for a run" if ended_input else ""))
        began, told = time.monotonic(), len(self._told)
        ongoing.stop(why)
        while not ongoing.wait(0.1):
            late = self._told and self._told[0] != signal.SIGINT and time.monotonic() - began > GRACE_S
            if len(self._told) > told or late:
                ongoing.now()
                ongoing.wait()
        if ended_input:
            self._code = self._code or INTERRUPTED

    def _exit_code(self) -> int:
        return 128 + self._told[0] if self._told else self._code

    def _greet(self) -> None:
        """The last campaign is open, where there is one."""
        try:
            folder = open_folder(self.parse(["status"]), must_exist=True)
            with folder.open_ledger() as ledger:
                last = ledger.campaigns()[-1:]
        except NotFoundError:
            last = []
        for stored in last:
            self.campaign = stored.id
        if not self.asks:
            return
        told = f"{last[0].id}, {last[0].status}: `run` goes on" if last else "no campaign yet: run CAMPAIGN.yaml"
        self.output.say(escaped(told))
        self.output.say(f"{len(WORDS)} commands: `help`. Other text is guidance. Ctrl-D leaves.")


def _is_terminal() -> bool:
    try:
        return sys.__stdin__ is not None and sys.__stdin__.isatty()
    except (OSError, ValueError):
        return False
