"""The program as a process that has its imports behind it: most of the processor time of a short run is imports.

A process of its own imports what a run needs and then forks for every start that is asked of it.  What is started is
a process like any other, with its own pid, arguments, environment, folder and pipes; it can be killed at any moment.
What is lost is a fresh hash seed for each, and that the imports themselves are tried: some tests of every kind start
cold for that, and RATCHET_SLOW=1 starts all so.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import io
import json
import os
import runpy
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, NoReturn

ROOT = Path(__file__).parents[1]
IMPORTS = (
    "agents.directors",
    "chromadb.api.rust",
    "graph.campaign",
    "graph.code_campaign",
    "graph.delivery",
    "graph.episode_listener",
    "graph.feedback_workflow",
    "httpcore",
    "langchain_ollama",
    "langchain_core.tracers.run_collector",
    "runtime.models.langchain_chat",
    "scipy.optimize",
    "scipy.stats",
    "service.cli",
    "service.commands.feedback",
    "service.commands.run",
    "service.live_end",
    "service.policy",
    "service.progress",
    "service.report",
)
START_S = 120.0


class WarmProcess:
    """As much of `subprocess.Popen` as tests use, in text mode, with pipes for stdout and stderr."""

    def __init__(self, words: list[str], *, env: Mapping[str, str], cwd: Path) -> None:
        self.args = words
        self.returncode: int | None = None
        out_read, out = os.pipe()
        err_read, err = os.pipe()
        self._control = _server().connect()
        request = json.dumps({"words": words, "env": dict(env), "cwd": str(cwd)}).encode()
        socket.send_fds(self._control, [struct.pack("!I", len(request))], [out, err])
        self._control.sendall(request)
        os.close(out)
        os.close(err)
        self.stdout: IO[str] = os.fdopen(out_read, encoding="utf-8")
        self.stderr: IO[str] = os.fdopen(err_read, encoding="utf-8")
        self.pid: int = struct.unpack("!i", _exactly(self._control, 4))[0]

    def poll(self) -> int | None:
        try:
            return self.wait(timeout=0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._control], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
            self.returncode = struct.unpack("!i", _exactly(self._control, 4))[0]
            self._control.sendall(b"r")  # until now it was a zombie, as an unwaited child is
            assert self._control.recv(1) == b""
            self._control.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """The rest of both pipes, once it has ended."""
        read: dict[str, str] = {}

        def take(name: str, pipe: IO[str]) -> None:
            with pipe:
                read[name] = pipe.read()

        readers = [
            threading.Thread(target=take, args=pair, daemon=True)
            for pair in (("out", self.stdout), ("err", self.stderr))
        ]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join(timeout)
            if reader.is_alive():
                raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        self.wait(timeout)
        return read["out"], read["err"]


Program = subprocess.Popen[str] | WarmProcess


def start_warm(words: list[str], *, env: Mapping[str, str], cwd: Path) -> Program:
    """The script `words[0]` with the arguments that follow it, warm; cold under RATCHET_SLOW=1."""
    if not os.environ.get("RATCHET_SLOW"):
        return WarmProcess(words, env=env, cwd=cwd)
    return start_cold(words, env=env, cwd=cwd)


def start_cold(words: list[str], *, env: Mapping[str, str], cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd, env=env
    )


# ------------------------------------------------------------------------------------------------- the server's side
class _Server:
    """The process that forks; it ends when this one does."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        environment = {k: v for k, v in os.environ.items() if not k.startswith("RATCHET_")}
        environment |= {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()], env=environment, cwd=ROOT
        )
        theirs.close()
        self._socket = ours
        self._socket.settimeout(START_S)
        assert _exactly(self._socket, 1) == b"w"
        atexit.register(self.close)

    def connect(self) -> socket.socket:
        """One end of a new connection; the other is the server's."""
        ours, theirs = socket.socketpair()
        socket.send_fds(self._socket, [b"+"], [theirs.fileno()])
        theirs.close()
        return ours

    def close(self) -> None:
        self._socket.close()
        self._process.wait()


_servers: dict[int, _Server] = {}
_starting = threading.Lock()


def _server() -> _Server:
    """That of this process, whatever it was forked from."""
    with _starting:
        if os.getpid() not in _servers:
            _servers[os.getpid()] = _Server()
        return _servers[os.getpid()]


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise EOFError("the process that starts programs warm is gone")
        data += part
    return data


def _serve(asked: socket.socket) -> dict[str, Any]:
    """Fork a minder for every connection, which forks the program.  Returns in the program only: what it is to do."""
    minders: set[int] = set()
    while True:
        message, descriptors, _, _ = socket.recv_fds(asked, 1, 1)
        minders -= {pid for pid in minders if os.waitpid(pid, os.WNOHANG)[0]}
        if not message:
            os._exit(0)
        minder = os.fork()
        if not minder:
            asked.close()
            return _mind(socket.socket(fileno=descriptors[0]))
        minders.add(minder)
        os.close(descriptors[0])


def _mind(connection: socket.socket) -> dict[str, Any]:
    size, pipes, _, _ = socket.recv_fds(connection, 4, 2)
    request: dict[str, Any] = json.loads(_exactly(connection, struct.unpack("!I", size)[0]))
    program = os.fork()
    if program == 0:
        connection.close()
        for number, pipe in enumerate(pipes, 1):
            os.dup2(pipe, number)
            os.close(pipe)
        return request
    for pipe in pipes:
        os.close(pipe)
    return _watch(connection, program)


def _watch(connection: socket.socket, program: int) -> NoReturn:
    """Tell how it ended; let it go when that has been heard, or nobody is left to hear it."""
    try:
        connection.sendall(struct.pack("!i", program))
        ended = os.waitid(os.P_PID, program, os.WEXITED | os.WNOWAIT)
        assert ended is not None
        code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
        connection.sendall(struct.pack("!i", code))
        connection.recv(1)
    except OSError:
        pass
    finally:
        os.waitpid(program, 0)
        os._exit(0)


def _become(request: dict[str, Any]) -> None:
    """What the interpreter does with its environment and arguments before a script begins."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    sys.argv = request["words"]
    sys.path[0] = str(Path(sys.argv[0]).parent)
    at_once = bool(os.environ.get("PYTHONUNBUFFERED"))
    for name, number, errors in (("stdout", 1, "strict"), ("stderr", 2, "backslashreplace")):
        binary: Any = open(number, "wb", 0 if at_once else -1, closefd=False)  # noqa: SIM115
        stream = io.TextIOWrapper(binary, "utf-8", errors, write_through=at_once, line_buffering=name == "stderr")
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


if __name__ == "__main__":
    _asked = socket.socket(fileno=int(sys.argv[1]))
    for _module in IMPORTS:
        importlib.import_module(_module)
    gc.freeze()
    if len(list(Path("/proc/self/task").iterdir())) > 1:
        raise SystemExit("an import has started a thread: a fork would not copy it")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # what is started has a handler of its own
    _asked.sendall(b"w")
    _request = _serve(_asked)
    _become(_request)
    runpy.run_path(_request["words"][0], run_name="__main__")
