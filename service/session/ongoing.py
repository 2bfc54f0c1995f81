"""A campaign that runs in the background of the session, on a loop of its own."""

from __future__ import annotations

import argparse
import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future

from core.errors import RatchetError
from graph.asking import Person
from graph.campaign import Stop
from graph.loop_thread import LoopThread
from memory.ledger import Ledger, StoredCampaign
from memory.state_folder import StateFolder
from service.commands.run import NO_LOAD, broken_off, carry_out, hear_guidance, listeners, show_end
from service.session.output import SessionOutput
from service.session.watch import Watch
from service.state import resume_command, settings_of

__all__ = ["Ongoing"]

INTERRUPTED = 130


class Ongoing:
    """Begins at once.  `code` is the exit code, when it has ended; the ledger is closed then."""

    def __init__(
        self,
        args: argparse.Namespace,
        output: SessionOutput,
        folder: StateFolder,
        ledger: Ledger,
        stored: StoredCampaign,
        *,
        watch: Watch,
        person: Person | None,
        ended: Callable[[int], None],
    ) -> None:
        self.id = stored.id
        self.watch = watch
        self.code: int | None = None
        self.stopping = False
        self.concluding = False
        """Whether it has come to its end, and only its result is still told."""
        self._args, self._output, self._folder = args, output, folder
        self._ledger, self._stored, self._person = ledger, stored, person
        self._ended = ended
        self._done = threading.Event()
        self._stop = Stop()
        self._thread = LoopThread(f"campaign {stored.id}")
        self._work: Future[None] = self._thread.begin(self._run())

    @property
    def alive(self) -> bool:
        return not self._done.is_set()

    def stop(self, reason: str) -> None:
        """Ask it to stop after the running stage, with a checkpoint."""
        self.stopping = True
        self.watch.notice("stopping after this stage")

        async def request() -> None:
            self._stop.request(reason)

        self._thread.begin(request())

    def now(self) -> None:
        """End it at once, its running jobs too."""
        self.stop("stopped at once")
        self.watch.notice("stopping now")
        self._work.cancel()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Whether it has ended by then."""
        return self._done.wait(timeout_s)

    def close(self) -> None:
        """Let go of the thread of a campaign that has ended."""
        self._thread.close()

    async def _run(self) -> None:
        code = RatchetError.exit_code
        try:
            code = await self._carried_out()
        finally:
            self._ledger.close()
            self.code = code
            self._ended(code)
            self._done.set()

    async def _carried_out(self) -> int:
        ledger, stored, output = self._ledger, self._stored, self._output
        status, reason, load = "interrupted", "stopped at once", NO_LOAD
        forget = ledger.listen(self.watch.hear)
        hearing = asyncio.create_task(hear_guidance(ledger, stored.id, self.watch.overhear))
        try:
            with listeners(self._folder, ledger, stored, settings_of(self._args), output):
                ending = await carry_out(self._args, output, self._folder, ledger, stored, self._stop, self._person)
            status, reason, load = ending.status, ending.reason, ending.load
        except asyncio.CancelledError:
            pass
        except RatchetError as error:
            return broken_off(output, ledger, stored.id, error)
        except Exception as error:  # noqa: BLE001  # the session goes on whatever ended the campaign
            what = f"internal error: {type(error).__name__}: {error}"
            output.error(RatchetError(what, where=stored.id, hint=resume_command(stored.id)))
            return RatchetError.exit_code
        finally:
            self.concluding = True
            forget()
            hearing.cancel()
        try:
            code = show_end(self._args, output, self._folder, ledger, stored.id, status, reason, load)
        except RatchetError as error:
            output.error(error)
            return error.exit_code
        return INTERRUPTED if status == "interrupted" else code
