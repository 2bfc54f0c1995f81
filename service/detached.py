"""A campaign in a process of its own: it goes on when whoever started it is stopped or killed.

The process is this program (`run_graph.py resume ID`) in a session of its own; what it prints goes to
`runs/<campaign>.log` of the state folder.  That it works on the campaign is seen by its lease in the ledger.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import service
from core.errors import BusyError, UnavailableError
from core.settings import Settings
from memory.ledger import Ledger
from memory.state_folder import StateFolder
from service.escape import escaped

__all__ = ["Detached", "log_of", "start_detached"]

PROGRAM = Path(service.__file__).resolve().parent.parent / "run_graph.py"
SECRETS = ("RATCHET_TOKEN", "GITHUB_TOKEN")
"""Of no use to a run, so not in its environment."""
DEADLINE_S = 120.0
"""For the lease to be seen; importing takes seconds on a busy machine."""
LOOK_S = 0.05
TAIL_BYTES = 2000


@dataclass(frozen=True)
class Detached:
    """A campaign that runs elsewhere: the process that has its lease, and where it prints."""

    campaign_id: str
    pid: int
    log: Path


def log_of(folder: StateFolder, campaign_id: str) -> Path:
    """Where a detached run of the campaign prints."""
    return folder.home / "runs" / f"{campaign_id}.log"


def start_detached(
    folder: StateFolder,
    ledger: Ledger,
    settings: Settings,
    campaign_id: str,
    options: Sequence[str] = (),
    *,
    stopping: threading.Event | None = None,
) -> Detached:
    """Start `resume ID` with `options`; answers once its lease is seen, or it has ended well.

    Raises BusyError when another process works on the campaign, UnavailableError, with the last lines that it printed,
    when it ends before it began, and when `stopping` is set before that is known: the run goes on all the same.
    """
    name = f"campaign {campaign_id}"
    if (owner := ledger.leases.owner(name)) is not None:
        raise BusyError(
            f"{campaign_id} is being run by process {owner.pid}", where=f"host {owner.host}", hint="wait, or stop it"
        )
    log = log_of(folder, campaign_id)
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    sessions = ledger.campaign(campaign_id).sessions
    words = [sys.executable, str(PROGRAM), "resume", campaign_id, *_settings(settings, folder), "--plain", *options]
    environment = {name: value for name, value in os.environ.items() if name not in SECRETS}
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        child = subprocess.Popen(  # noqa: S603  # our own program
            words,
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            env=environment,
            start_new_session=True,
        )
    finally:
        os.close(descriptor)
    threading.Thread(target=child.wait, name=f"end of {name}", daemon=True).start()  # so that no zombie is left
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        code = child.poll()
        owner = ledger.leases.owner(name)
        if owner is not None and owner.pid == child.pid:
            break
        if code is not None:
            if ledger.campaign(campaign_id).sessions > sessions:
                break  # it was quick
            raise UnavailableError(
                f"the run of {campaign_id} ended with exit code {code} before it began",
                where=str(log),
                hint=_last_lines(log),
            )
        if stopping is None:
            time.sleep(LOOK_S)
        elif stopping.wait(LOOK_S):
            raise UnavailableError(
                f"this server stops, and has not seen {campaign_id} begin yet",
                where=str(log),
                hint=f"it goes on beginning, as process {child.pid}; ask for it again when the server is back",
            )
    return Detached(campaign_id, child.pid, log)


def _settings(settings: Settings, folder: StateFolder) -> list[str]:
    """The settings in force, as words: whatever flags, files and variables they came from."""
    told = settings.model_dump(mode="json", exclude={"home"}, exclude_defaults=True)
    words = [word for key, value in told.items() for word in ("--set", f"{key}={json.dumps(value)}")]
    return ["--home", str(folder.home), *words]


def _last_lines(log: Path) -> str:
    try:
        text = log.read_bytes()[-TAIL_BYTES:].decode("utf-8", "backslashreplace")
    except OSError:
        return "its log cannot be read"
    return escaped(" · ".join(text.strip().splitlines()[-3:]))
