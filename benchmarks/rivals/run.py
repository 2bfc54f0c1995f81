"""Ratchet beside OpenEvolve and ShinkaEvolve: overhead, hostile candidates, kill -9, two files; see docs/rivals.md.

    python benchmarks/rivals/run.py --venvs /tmp/rivals [--only overhead,kill] [--projects ratchet,shinka]

PREFIX-openevolve and PREFIX-shinka are virtual environments with `openevolve==0.4.0` and `shinka-evolve==0.0.7`;
a project whose environment is missing is skipped, aloud.  Runs one after the other in turn, at low priority, each in
bounds of time; what a run leaves is killed by its id.  One JSON line a run on stdout.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.rivals import edits
from benchmarks.rivals.bounded import Run, become_subreaper, run
from benchmarks.rivals.projects import commands, evaluations, latest_checkpoint, read
from benchmarks.rivals.stub import Stub
from benchmarks.rivals.task import write_openevolve, write_ratchet, write_shinka

PROJECTS = ("openevolve", "shinka", "ratchet")
GROUPS = {
    "openevolve": [[label] for label in (*edits.USELESS, *edits.HOSTILE)],
    "shinka": [list(edits.USELESS), ["hangs"], ["kills_parent"],
               ["daemon", "memory", "secret", "forges", "forges_and_is_faster"]],
    "ratchet": [list(edits.USELESS), ["hangs", "kills_parent", "daemon", "memory", "secret"], ["forges"],
                ["forges_and_is_faster"]],
}  # fmt: skip
"""Candidates that share a run: those that, as tried, do not disturb the next, where a run takes long."""
PARTS = ("overhead", "candidates", "kill", "files")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--venvs", default="/tmp/rivals", metavar="PREFIX")
    arguments.add_argument("--only", default=",".join(PARTS))
    arguments.add_argument("--projects", default=",".join(PROJECTS))
    arguments.add_argument("--at", default="10,50,100", help="iterations of the overhead")
    arguments.add_argument("--forms", default="", help="of evaluators, for the overhead; default: all")
    args = arguments.parse_args()
    wanted = [name for name in args.projects.split(",") if _is_there(name, args.venvs)]
    os.nice(5)
    become_subreaper()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that a run that is under way is ended too
    parts = args.only.split(",")
    with tempfile.TemporaryDirectory(prefix="rivals-runs-") as folder:
        bench = Bench(Path(folder), args.venvs)
        if "overhead" in parts:
            for count in (int(word) for word in args.at.split(",")):
                for project in wanted:
                    bench.overhead(project, count, args.forms)
        if "candidates" in parts:
            for project in wanted:
                bench.candidates(project)
        if "kill" in parts:
            for project in wanted:
                bench.kill(project)
        if "files" in parts:
            for project in wanted:
                bench.files(project)


def _is_there(project: str, venvs: str) -> bool:
    if project == "ratchet":
        return True
    python = Path(f"{venvs}-{project}/bin/python")
    name = {"openevolve": "openevolve", "shinka": "shinka-evolve"}[project]
    if not python.exists():
        print(f"SKIPPED {project}: no {python}; python -m venv {venvs}-{project} && {python.parent}/pip install {name}",
              file=sys.stderr)  # fmt: skip
        return False
    asked = "import importlib.metadata as m, sys; print(m.version(sys.argv[1]))"
    version = subprocess.run([python, "-c", asked, name], capture_output=True, text=True, check=True).stdout.strip()
    told(part="version", project=project, version=version)
    return True


def told(**facts: Any) -> None:
    print(json.dumps(facts), flush=True)


class Bench:
    """Runs in folders of their own below `folder`."""

    def __init__(self, folder: Path, venvs: str) -> None:
        self.folder = folder
        self.venvs = venvs
        self.loot = folder / "loot"
        self.loot.mkdir()
        self.loot.chmod(0o777)

    def overhead(self, project: str, count: int, forms: str = "") -> None:
        """CPU of `count` iterations whose answers are instant and whose candidates cost the same."""
        for form in {"openevolve": ("in process", "apart"), "shinka": ("light", "run_shinka_eval")}.get(project, ("",)):
            if forms and form not in forms.split(","):
                continue
            if (form == "run_shinka_eval" and count > 10) or (project == "ratchet" and count > 50):
                told(part="overhead", project=project, form=form, iterations=count, not_tried="takes too long here")
                continue
            home = self._home(project)
            with Stub() as stub:
                self._write(project, home, stub.url, count, form=form, checkpoint=100, pairs=2)
                ran = self._run(project, home, stub, count, time_s=40 + 20 * count)
                noted = evaluations(home)
                told(
                    part="overhead", project=project, form=form, iterations=count, requests=len(stub.told),
                    candidates=len(read(project, home, ran.output)), evaluations=len(noted),
                    evaluator_cpu_s=round(sum(one["cpu"] for one in noted), 2), **_facts(ran),
                )  # fmt: skip

    def candidates(self, project: str) -> None:
        """Hostile and useless answers, then a good one: what becomes of each."""
        all_of_them = edits.hostile(str(self.loot)) | {one.label: one for one in edits.useless()}
        for labels in GROUPS[project]:
            for form in ("in process", "apart") if project == "openevolve" else ("light",):
                self._candidate(project, [all_of_them[label] for label in labels], form)
        if project == "ratchet":
            self._candidate(project, list(edits.PLAIN.values()), "as a model would write it")

    def _candidate(self, project: str, first: list[edits.Edit], form: str) -> None:
        for file in self.loot.iterdir():
            file.unlink()
        home, count = self._home(project), len(first) + 2
        with Stub([*first, edits.better()]) as stub:
            self._write(project, home, stub.url, count, form=form)
            ran = self._run(project, home, stub, count, time_s=90.0 + 30 * count)
            kept = read(project, home, ran.output)
            told(
                part="candidates", project=project, form=form, first=[one.label for one in first], answers=stub.told,
                kept=[[list(one.labels), one.score, one.note] for one in kept],
                secret_taken=any(edits.KEY in file.read_text() for file in self.loot.iterdir()),
                files_with_the_key=_files_with_the_key(home), errors=_errors(project, ran.output), **_facts(ran),
            )  # fmt: skip

    def kill(self, project: str) -> None:
        """SIGKILL to the framework after 8 of 12 answers; then the documented way to go on."""
        for checkpoint in (1, 100) if project == "openevolve" else (0,):
            home, count = self._home(project), 12
            with Stub(latency_s=0.2) as stub:
                self._write(project, home, stub.url, count, form="light", checkpoint=checkpoint or 1, pairs=2)
                time_s = 60.0 + 20 * count
                first = self._run(project, home, stub, count, time_s=time_s, stop_after=8)
                before, kept = len(stub.told), len(read(project, home, first.output))
                resumed = latest_checkpoint(home) if project == "openevolve" else None
                done = int(resumed.name.rpartition("_")[2]) if resumed else 0
                again = self._run(project, home, stub, count - done, time_s=time_s,
                                  checkpoint=str(resumed.relative_to(home)) if resumed else "")  # fmt: skip
                final = read(project, home, first.output + "\n" + again.output)
                labels = {label for one in final for label in one.labels}
                told(
                    part="kill", project=project, checkpoint_interval=checkpoint or None, first_ended=first.ended,
                    left_after_kill=list(first.left), answers_before=before, kept_before=kept,
                    resumed_from=resumed.name if resumed else "", answers_in_all=len(stub.told),
                    kept_in_all=len(final), evaluations=len(evaluations(home)),
                    answers_in_no_candidate=sorted(set(stub.told) - labels), **_facts(again),
                )  # fmt: skip

    def files(self, project: str) -> None:
        """A change that is right only if two files change together."""
        home = self._home(project)
        with Stub([edits.two_files()]) as stub:
            self._write(project, home, stub.url, 1, form="light" if project == "shinka" else "apart", two=True)
            ran = self._run(project, home, stub, 1, time_s=120)
            kept = read(project, home, ran.output)
            told(part="files", project=project, answers=stub.told, errors=_errors(project, ran.output),
                 kept=[[list(one.labels), one.score, one.note] for one in kept], **_facts(ran))  # fmt: skip

    def _home(self, project: str) -> Path:
        return Path(tempfile.mkdtemp(prefix=f"{project}-", dir=self.folder))

    def _write(self, project: str, home: Path, url: str, count: int, *, form: str = "", two: bool = False,
               checkpoint: int = 1, pairs: int = 12) -> None:  # fmt: skip
        if project == "openevolve":
            write_openevolve(home, url, two=two, apart=form != "in process", checkpoint=checkpoint)
        elif project == "shinka":
            write_shinka(home, two=two, light=form == "light")
        else:
            write_ratchet(home, cycles=count, two=two, pairs=pairs)

    def _run(self, project: str, home: Path, stub: Stub, count: int, *, time_s: float, checkpoint: str = "",
             stop_after: int = 0) -> Run:  # fmt: skip
        environment = {**os.environ, "OPENAI_API_KEY": edits.KEY, "OPENAI_BASE_URL": stub.url}
        began = time.monotonic()

        def due() -> bool:
            return 0 < stop_after <= len(stub.told) and time.monotonic() > began

        command = commands(project, self.venvs, stub.url, count, checkpoint=checkpoint)
        return run(command, home, environment, time_s=time_s, stop_when=due)


def _facts(ran: Run) -> dict[str, Any]:
    return {"ended": ran.ended, "wall_s": round(ran.wall_s, 1), "main_cpu_s": round(ran.main_cpu_s, 2),
            "total_cpu_s": round(ran.total_cpu_s, 2), "left": list(ran.left)}  # fmt: skip


def _errors(project: str, output: str) -> list[str]:
    """What the project itself says went wrong."""
    if project == "ratchet":
        calls = [json.loads(line) for line in output.splitlines() if '"type": "ModelCalled"' in line]
        wrong = [f"repair {one['repair']}: {one.get('error') or one.get('faults')}" for one in calls]
        return _short([*wrong, *(line for line in output.splitlines() if '"result", "error"' in line)])
    marks = {"openevolve": (" - WARNING - ", " - ERROR - ", "Error:"), "shinka": ("WARNING", "ERROR")}[project]
    return _short(line for line in output.splitlines() if any(mark in line for mark in marks))


def _short(lines: Iterable[str]) -> list[str]:
    return [line.strip()[:220] for line in lines][:12]


def _files_with_the_key(home: Path) -> list[str]:
    return sorted(str(path.relative_to(home)) for path in home.rglob("*")
                  if path.is_file() and edits.KEY.encode() in path.read_bytes())  # fmt: skip


if __name__ == "__main__":
    main()
