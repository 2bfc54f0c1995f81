"""A tiny campaign with real jobs of a tenth of a second, and the command line called as a process."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from tests.warm_program import Program, start_warm

ROOT = Path(__file__).parents[2]
DEADLINE_S = 110
"""Against hangs only; the machine may be busy."""

SCRIPT = """
import json, os, random, sys, time
config = json.load(open(sys.argv[1]))
here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "ran.log"), "a") as log:
    log.write(os.environ["RATCHET_JOB"] + "\\n")
if config["x"] > 0.9:
    sys.exit("diverged \\x1b[31m<b>at once</b>")
rng = random.Random(repr(sorted(config.items())))
value = 1 - (config["x"] - 0.3) ** 2 - 0.02 * abs(config["n"] - 4) + 0.03 * (config["kind"] == "b")
with open(os.path.join(here, f"pid-{os.getpid()}"), "w") as file:
    file.write(str(os.getpid()))
print(json.dumps({"step": 1, "accuracy": value}), flush=True)
if config["x"] != 0.8 and os.path.exists(os.path.join(here, "slow")):
    time.sleep(300)
print("a line \\x1b]0;title\\x07 of talk")
print(json.dumps({"accuracy": value + rng.gauss(0, 0.004)}))
"""

CAMPAIGN = """
schema: 1
name: tiny
description: A <script>alert(1)</script> campaign
command: ["{python}", "{here}/train.py", "{config}"]
objective: {metric: accuracy}
space:
  x: {type: float, low: 0.0, high: 1.0}
  n: {type: int, low: 1, high: 9}
  kind: {type: choice, options: [a, b]}
baseline: {x: 0.8, n: 8, kind: a}
limits: {time_s: 400, memory_mb: 500}
budget: {cycles: 3}
noise: {repeats: 2, verdict_pairs: 3}
control: [random]
"""


@dataclass(frozen=True)
class Answer:
    """What a call of the command line gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """stdout as exactly one JSON value, and strict JSON."""

        def refuse(constant: str) -> Any:
            raise ValueError(f"{constant} is no JSON")

        return json.loads(self.out, parse_constant=refuse)


Cli = Callable[..., Answer]


def write_campaign(folder: Path, campaign: str = CAMPAIGN, script: str = SCRIPT) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "campaign.yaml").write_text(campaign)
    (folder / "train.py").write_text(script)
    return folder


def environment() -> dict[str, str]:
    """As a user's, with the embedder that needs no model."""
    dropped = ("NO_COLOR", "CI", "TERM", "COLUMNS")
    kept = {k: v for k, v in os.environ.items() if k not in dropped and not k.startswith("RATCHET_")}
    return kept | {"RATCHET_EMBEDDING_MODEL": "hash", "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


def start_program(*words: object, home: Path) -> Program:
    """`python run_graph.py …`, its imports behind it."""
    command = [str(ROOT / "run_graph.py"), *map(str, words), "--home", str(home)]
    return start_warm(command, env=environment(), cwd=home.parent)


def call_process(*words: object, home: Path, deadline_s: float = DEADLINE_S) -> Answer:
    """`python run_graph.py …` as a process of its own."""
    process = start_program(*words, home=home)
    out, err = process.communicate(timeout=deadline_s)
    return Answer(process.wait(), out, err)


class Running:
    """A command line that runs as a process; its lines are waited for."""

    def __init__(self, *words: object, home: Path) -> None:
        self.process = start_program(*words, home=home)
        self.lines: dict[str, list[str]] = {"out": [], "err": []}
        self._queue: Queue[tuple[str, str]] = Queue()
        self._readers = [
            threading.Thread(target=self._read, args=(name, pipe), daemon=True)
            for name, pipe in (("out", self.process.stdout), ("err", self.process.stderr))
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, name: str, pipe: Any) -> None:
        for line in pipe:
            self._queue.put((name, line))

    def wait_for(self, name: str, text: str) -> str:
        """The next line of `out` or `err` that holds `text`."""
        while True:
            try:
                where, line = self._queue.get(timeout=DEADLINE_S)
            except Empty:
                raise AssertionError(f"no line with {text!r} came; {self.lines}") from None
            self.lines[where].append(line)
            if where == name and text in line:
                return line

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self) -> Answer:
        code = self.process.wait(timeout=DEADLINE_S)
        for reader in self._readers:
            reader.join(timeout=DEADLINE_S)
        while not self._queue.empty():
            where, line = self._queue.get()
            self.lines[where].append(line)
        return Answer(code, "".join(self.lines["out"]), "".join(self.lines["err"]))

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()


@dataclass(frozen=True)
class Finished:
    """A campaign that ran to its end, as a process, with `--json`."""

    home: Path
    folder: Path
    answer: Answer

    @property
    def result(self) -> Any:
        return self.answer.json
