"""Run one command in isolation and wait for it."""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from pydantic import ConfigDict, Field

from core.errors import ConfigError, SandboxError
from core.records import Record
from runtime import warden
from runtime.keeper.tree import descendants, kill_all
from runtime.sandbox.isolation import Isolation, Level
from runtime.sandbox.limits import SandboxLimits
from runtime.sandbox.visible import visible
from runtime.warden.bubblewrap import TEMPORARY, WORK
from runtime.warden.wire import decode, encode

__all__ = ["Ended", "SandboxRun", "run_with"]

WARDEN = Path(warden.__file__).with_name("__main__.py")
MARK = "RATCHET_SANDBOX"
ANSWER_GRACE_S = 30.0
SWEEP_DEADLINE_S = 5.0
BUBBLEWRAP_HINT = "apt-get install bubblewrap"

Ended = Literal["exit", "signal", "start", "time", "cpu", "memory", "processes", "output", "disk", "lost"]
"""How a command came to its end: by itself (`exit`, `signal`), never began (`start`), at a limit, or `lost`: it ended
its warden, which level 1 cannot prevent."""


class SandboxRun(Record):
    """What came of a command.

    `exit_code` is None unless it ended by itself, and `signal` unless one ended it; at level 3 an exit code above 128
    cannot be told from a signal and is taken for one.  `outputs` are the bytes of the files asked for, untouched;
    `refused` says why others were not taken.  Nothing in it was checked for meaning: an exit code of 0 proves nothing.
    """

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    ended: Ended
    reason: str = ""
    exit_code: int | None = None
    signal: int | None = None
    stdout: bytes = Field(default=b"", description="the beginning and the end, 1 MB; the cut is marked")
    stderr: bytes = b""
    printed_bytes: tuple[int, int] = Field(default=(0, 0), description="to stdout and to stderr")
    duration_s: float = 0.0
    cpu_s: float = Field(default=0.0, description="at least so much")
    peak_memory_mb: float = 0.0
    orphans: int = Field(default=0, description="processes that could not be ended")
    outputs: dict[str, bytes] = Field(default={})
    refused: dict[str, str] = Field(default={})
    isolation: Isolation | None = None


def run_with(
    mechanism: Level,
    command: Sequence[str],
    *,
    inputs: Mapping[str, Path],
    work: Mapping[str, bytes] | Path,
    limits: SandboxLimits,
    environment: Mapping[str, str],
    stdin: bytes,
    cwd: str,
    outputs: Sequence[str],
) -> tuple[SandboxRun, dict[str, Any]]:
    """What came of the command, and the warden's facts about the machine.  `runtime.sandbox.run` says the rest."""
    words = [*command, *environment.values(), *environment]
    if not command or any("\0" in word for word in words) or any("=" in name or not name for name in environment):
        raise ConfigError("a command is empty, or it or its environment holds a character that no process can be given")
    files = {} if isinstance(work, Path) else dict(work)
    for path in [*files, *outputs, *inputs, *([cwd] if cwd != "." else [])]:
        _check_relative(path)
    for name, source in inputs.items():
        if any(str(above) in inputs for above in PurePosixPath(name).parents):
            raise ConfigError(f"the input {name} lies within another one", hint="give one of them another name")
        if not source.exists():
            raise ConfigError(f"the input {name} does not exist", where=str(source))
    with _session() as session:
        spec = {
            "level": mechanism,
            "command": list(command),
            "environment": _environment(mechanism, session, environment),
            "cwd": cwd,
            "files": list(files),
            "tree": str(work.absolute()) if isinstance(work, Path) else "",
            "inputs": [(name, str(source.resolve())) for name, source in inputs.items()],
            "readable": visible().paths,
            "links": visible().links,
            "limits": limits.model_dump(exclude={"version"}),
            "outputs": list(outputs),
            "session": str(session),
            "work": str(session / "work"),
            "temporary": str(session / "tmp"),
            **_bubblewrap(mechanism),
        }
        if mechanism != 3:
            _lay_out(session, inputs)
        header, blobs = _ask(encode(spec, [stdin, *files.values()]), spec["environment"][MARK], limits.time_s)
    facts = header.pop("facts", {})
    if header.get("error") == "start":
        return SandboxRun(ended="start", reason=header["reason"]), facts
    if "error" in header:
        raise SandboxError(
            f"the command could not be isolated at level {mechanism}: {header['reason']}", hint=_hint(mechanism)
        )
    taken = header.pop("taken", ())
    stdout, stderr, *contents = blobs or (b"", b"")
    run = SandboxRun(**header, stdout=stdout, stderr=stderr, outputs=dict(zip(taken, contents, strict=True)))
    return run, facts


def _check_relative(path: str) -> None:
    pure = PurePosixPath(path)
    if not path or str(pure) != path or pure.is_absolute() or ".." in pure.parts or path == "." or "\0" in path:
        raise ConfigError(
            f"{path!r} is not a plain relative path", hint="write it as a/b/c, without ., .. and doubled slashes"
        )


def _environment(mechanism: Level, session: Path, given: Mapping[str, str]) -> dict[str, str]:
    """The whole environment: nothing of this process's is in it."""
    home, temporary = (WORK, TEMPORARY) if mechanism == 3 else (str(session / "work"), str(session / "tmp"))
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": home,
        "TMPDIR": temporary,
        "LANG": "C.UTF-8",
        **given,
        MARK: secrets.token_hex(8),
    }


def _lay_out(session: Path, inputs: Mapping[str, Path]) -> None:
    """The same places as level 3 has, so that `../inputs/name` works from the working directory at every level."""
    for name in ("work", "tmp", "inputs"):
        (session / name).mkdir(mode=0o755)
    for name, source in inputs.items():
        link = session / "inputs" / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(source.resolve())


@contextlib.contextmanager
def _session() -> Iterator[Path]:
    """A directory of this run's own, gone afterwards whatever the command made of it."""
    path = Path(tempfile.mkdtemp(prefix="ratchet-sandbox-"))
    try:
        yield path
    finally:
        with contextlib.suppress(OSError, RecursionError):
            shutil.rmtree(path)
        if path.exists():  # too deep for Python, or closed to its owner
            for program in (["chmod", "-R", "u+rwx"], ["rm", "-rf"]):
                subprocess.run([*program, "--", str(path)], capture_output=True, check=False)  # noqa: S603


def _bubblewrap(mechanism: Level) -> dict[str, Any]:
    if mechanism != 3:
        return {}
    program = shutil.which("bwrap")
    if program is None:
        raise SandboxError("bubblewrap is not installed", hint=BUBBLEWRAP_HINT)
    return {"bubblewrap": program, "can_disable_userns": "--disable-userns" in _options(program)}


@functools.cache
def _options(program: str) -> str:
    asked = subprocess.run([program, "--help"], capture_output=True, text=True, check=False)  # noqa: S603
    return asked.stdout + asked.stderr


def _hint(mechanism: Level) -> str:
    return "allow unprivileged user namespaces, or take a lower level" if mechanism == 3 else "take a lower level"


def _ask(request: bytes, mark: str, time_s: float) -> tuple[dict[str, Any], list[bytes]]:
    """Start a warden and take its answer.  Its stdin stays open until then: its end means the end of this process."""
    child = subprocess.Popen(  # noqa: S603
        [sys.executable, "-I", "-S", str(WARDEN)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        cwd="/",
        start_new_session=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    overdue = threading.Timer(time_s + ANSWER_GRACE_S, child.kill)  # a command of level 1 may have stopped its warden
    overdue.daemon = True
    overdue.start()
    try:
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(request)
            child.stdin.flush()
        answer = child.stdout.read()
        return decode(answer)
    except EOFError:
        _sweep(mark)
        return {"ended": "lost", "reason": "the process that watched it was ended"}, []
    finally:
        overdue.cancel()
        with contextlib.suppress(BrokenPipeError):
            child.stdin.close()
        child.stdout.close()
        child.wait()


def _sweep(mark: str) -> None:
    """End what carries the mark of this run in its environment, and all below it."""
    wanted = f"{MARK}={mark}".encode()
    deadline = time.monotonic() + SWEEP_DEADLINE_S
    while kill_all(lambda: _marked(wanted)) and time.monotonic() < deadline:
        time.sleep(0.002)


def _marked(wanted: bytes) -> set[int]:
    found: set[int] = set()
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # ended, or of another user
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                found |= {int(entry.name)} | descendants(int(entry.name))
    return found - {os.getpid()}
