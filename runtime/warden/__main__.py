"""`python -I -S runtime/warden/__main__.py`: the request on stdin, the answer on stdout (`runtime.warden.wire`)."""

from __future__ import annotations

import os
import sys

if not __package__:  # run by its path: the bare interpreter knows no packages but its own
    sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

import contextlib
import select

from runtime.keeper.files import write_all
from runtime.keeper.launch import StartError
from runtime.warden.bubblewrap import SetupError
from runtime.warden.watch import Watch
from runtime.warden.wire import encode, receive


def main() -> int:
    try:
        spec, blobs = receive(sys.stdin.buffer)
    except EOFError:  # the caller died
        return 1
    caller = os.getppid()
    try:
        answer = encode(*Watch(spec, blobs, sys.stdin.fileno()).run())
    except StartError as error:
        answer = encode({"error": "start", "reason": str(error)})
    except SetupError as error:
        answer = encode({"error": "setup", "reason": str(error)})
    except OSError as error:
        answer = encode({"error": "system", "reason": str(error)})
    with contextlib.suppress(BrokenPipeError):
        write_all(1, answer)
    if _is_gone(caller):  # it was killed, and cannot tidy up
        import shutil

        shutil.rmtree(spec["session"], ignore_errors=True)
    return 0


def _is_gone(caller: int) -> bool:
    """Whether the caller is dead or dying.

    A process that is killed loses its files first and its children later, and in between a busy machine can do all
    that was done here; and where a fork of it holds on to the pipe, only the second is to be seen.
    """
    ended = select.poll()
    ended.register(sys.stdin.fileno(), select.POLLIN)
    return os.getppid() != caller or bool(ended.poll(0))


if __name__ == "__main__":
    sys.exit(main())
