"""`python -I -S runtime/keeper/__main__.py DIRECTORY`, the job's specification as JSON on stdin.

Says on stdout, until it has taken over: `started`, or one line of JSON why not.  Exit code 0: the result is written.
"""

from __future__ import annotations

import os
import sys

if not __package__:  # run by its path: the bare interpreter knows no packages but its own
    sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

import contextlib
import fcntl
import json
import time

from runtime.keeper.files import Reserved, create, encode, read_regular, remove, write_all, write_json
from runtime.keeper.tree import identity
from runtime.keeper.watch import Watch

TYPE_CHECKING = False  # importing typing costs a tenth of the start
if TYPE_CHECKING:
    from typing import Any

RESULT_BYTES = 256 * 1024
SMALL_FILE_BYTES = 1024 * 1024
OF_THE_LAST_ATTEMPT = ("metrics.json", "metrics.jsonl", "poke", "result.json", "stdout.log", "stderr.log")


class _Refused(Exception):  # noqa: N818 -- an answer, not an error
    """The job may not be started here and now; carries what the starter is told."""


def main() -> int:
    directory = os.open(sys.argv[1], os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    os.fchdir(directory)
    spec = json.load(sys.stdin.buffer)
    try:
        _claim(directory, spec)
        _prepare(directory, spec)
        result = Reserved(directory, "result.json", RESULT_BYTES)
        watch = Watch(spec, directory)
        started = {"job_id": spec["id"], "attempt": spec["attempt"], **identity(os.getpid()), "at": time.time()}
        write_json(directory, "started.json", started)
    except _Refused as refusal:
        return _answer({"refused": str(refusal)})
    except OSError as error:
        return _answer({"error": error.strerror or str(error), "errno": error.errno})
    with contextlib.suppress(BrokenPipeError):  # the starter is dead; its successor reads `started.json`
        write_all(1, b"started\n")
    _let_go_of_starter()
    try:
        result.publish(watch.run())
    except BaseException:
        _keep_traceback(directory)
        raise
    remove(directory, "poke")
    _remove_tree(directory, spec["temporary"])
    return 0


def _claim(directory: int, spec: dict[str, Any]) -> None:
    """One keeper a directory at a time, and one start an attempt ever."""
    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _Refused("another attempt is still running") from None
    for name in ("started.json", "result.json"):
        try:
            before = json.loads(read_regular(directory, name, SMALL_FILE_BYTES) or b"{}")
            attempt = before.get("attempt", 0)
            mine = before.get("job_id", spec["id"]) == spec["id"]
        except (ValueError, AttributeError):
            continue  # damaged: says nothing about this attempt
        if not mine:
            raise _Refused(f"the directory belongs to job {before['job_id']}")
        if isinstance(attempt, int) and attempt >= spec["attempt"]:
            raise _Refused(f"attempt {attempt} was started before")


def _prepare(directory: int, spec: dict[str, Any]) -> None:
    """Nothing of an earlier attempt is taken for this one's; the inputs are written."""
    for name in OF_THE_LAST_ATTEMPT:
        remove(directory, name)
    _remove_tree(directory, spec["temporary"])
    os.mkdir(spec["temporary"], 0o700, dir_fd=directory)
    write_json(directory, "config.json", spec["config"], durable=False)
    shown = {**spec, "environment": sorted(spec["environment"])}  # the names only: a value may be a secret
    write_json(directory, "spec.json", {key: shown[key] for key in shown if key != "config"}, durable=False)


def _answer(message: dict[str, Any]) -> int:
    with contextlib.suppress(BrokenPipeError):
        write_all(1, encode(message).replace(b"\n", b" "))
    return 3


def _let_go_of_starter() -> None:
    """The starter sees the end of its pipe; from now on it may die."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)


def _keep_traceback(directory: int) -> None:
    import traceback

    with contextlib.suppress(OSError):  # the exit code says that it failed
        write_all(create(directory, "keeper.log"), traceback.format_exc().encode())


def _remove_tree(directory: int, name: str) -> None:
    try:
        os.rmdir(name, dir_fd=directory)
    except FileNotFoundError:
        pass
    except NotADirectoryError:
        remove(directory, name)
    except OSError:
        import shutil  # slow to import, and seldom needed

        shutil.rmtree(name, ignore_errors=True, dir_fd=directory)


if __name__ == "__main__":
    code = main()
    os._exit(code)  # everything is written; the interpreter's farewell would only delay the news
