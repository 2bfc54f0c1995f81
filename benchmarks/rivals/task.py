"""The same task in the form that each project documents: a function that keeps the first of equal names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.rivals.edits import ANCHOR

__all__ = ["write_openevolve", "write_ratchet", "write_shinka"]

WORKLOAD = """\
def workload(seed):
    rng = random.Random(seed)
    return [f"name {rng.randrange(900)}" for _ in range(6000)]
"""


def program(two: bool = False) -> str:
    new = "new()" if two else "[]"
    head = "from helper import new\n\n" if two else ""
    return (
        f"{head}# EVOLVE-BLOCK-START\n"
        "def unique(names):\n"
        f"{ANCHOR}"
        f"    seen = {new}\n"
        "    result = []\n"
        "    for name in names:\n"
        "        if name not in seen:\n"
        "            seen.append(name)\n"
        "            result.append(name)\n"
        "    return result\n"
        "# EVOLVE-BLOCK-END\n"
    )


HELPER = 'def new():\n    """What was seen."""\n    return []\n'

# Source: the two kinds of evaluator among OpenEvolve's examples: function_minimization (the candidate runs in the
# worker's process) and circle_packing (in a process of its own, with a time-out).
IN_PROCESS = """\
import importlib.util, json, os, random
from time import process_time, thread_time

{workload}

def score(seconds, right):
    return 0.01 / max(seconds, 1e-12) if right else 0.0


def evaluate(program_path):
    began = thread_time()
    names = workload(1)
    try:
        spec = importlib.util.spec_from_file_location("program", program_path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        start = thread_time()
        result = module.unique(names)
        seconds = thread_time() - start
        told = score(seconds, result == list(dict.fromkeys(names)))
    except Exception:
        told = 0.0
    with open({log!r}, "a") as file:
        file.write(json.dumps({{"cpu": thread_time() - began, "score": told}}) + "\\n")
    return {{"combined_score": told}}
"""

IN_ANOTHER = """\
import json, os, random, resource, subprocess, sys, tempfile

{workload}

HARNESS = {harness!r}


def score(seconds, right):
    return 0.01 / max(seconds, 1e-12) if right else 0.0


def evaluate(program_path):
    names = workload(1)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as folder:
        script, results = os.path.join(folder, "harness.py"), os.path.join(folder, "results.json")
        with open(script, "w") as file:
            file.write(HARNESS)
        process = subprocess.Popen([sys.executable, script, program_path, results],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            process.communicate(timeout={timeout})
            with open(results) as file:
                told = json.load(file)
            value = score(told["seconds"], told["result"] == list(dict.fromkeys(names)))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            value = 0.0
        except Exception:
            value = 0.0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    with open({log!r}, "a") as file:
        file.write(json.dumps({{"cpu": cpu, "score": value}}) + "\\n")
    return {{"combined_score": value}}
"""

HARNESS = """\
import importlib.util, json, random, sys
from time import process_time

{workload}

sys.path.insert(0, {folder!r})
spec = importlib.util.spec_from_file_location("program", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
names = workload(1)
start = process_time()
result = module.unique(names)
seconds = process_time() - start
with open(sys.argv[2], "w") as file:
    json.dump({{"result": result, "seconds": seconds}}, file)
"""

# Source: the evaluation script in ShinkaEvolve's README.
SHINKA = """\
import argparse, json, random, sys
from time import process_time

sys.path.insert(0, {folder!r})
from shinka.core import run_shinka_eval

{workload}

NAMES = workload(1)


def validate(result):
    right = result == list(dict.fromkeys(NAMES))
    return right, None if right else "wrong result"


class Timing:
    seconds = 0.0


def kwargs(run):
    Timing.start = process_time()
    return {{"names": NAMES}}


def aggregate(results):
    seconds = process_time() - Timing.start
    return {{"combined_score": 0.01 / max(seconds, 1e-12), "public": {{}}, "private": {{}}}}


arguments = argparse.ArgumentParser()
arguments.add_argument("--program_path")
arguments.add_argument("--results_dir")
args = arguments.parse_args()
metrics, correct, error = run_shinka_eval(
    program_path=args.program_path, results_dir=args.results_dir, experiment_fn_name="unique", num_runs=1,
    get_experiment_kwargs=kwargs, aggregate_metrics_fn=aggregate, validate_fn=validate,
)
with open({log!r}, "a") as file:
    file.write(json.dumps({{"cpu": process_time(), "score": metrics.get("combined_score")}}) + "\\n")
"""

RATCHET_TESTS = """\
import pytest

from initial import unique


@pytest.mark.parametrize("names", [[], ["a"], ["a", "b", "a"], ["b", "a", "b", "c"]])
def test_unique(names):
    assert unique(names) == list(dict.fromkeys(names))
"""

RATCHET_BENCHMARK = """\
import argparse, hashlib, json, random
from time import process_time

from initial import unique

{workload}

arguments = argparse.ArgumentParser()
arguments.add_argument("--seed", type=int, default=0)
names = workload(arguments.parse_args().seed)
start = process_time()
result = unique(names)
seconds = process_time() - start
print(json.dumps({{"seconds": seconds, "check": hashlib.sha256(repr(result).encode()).hexdigest()}}))
"""


# Source: the same contract without the library: the script writes metrics.json and correct.json itself.
SHINKA_LIGHT = """\
import argparse, importlib.util, json, random, sys
from time import process_time

sys.path.insert(0, {folder!r})

{workload}

arguments = argparse.ArgumentParser()
arguments.add_argument("--program_path")
arguments.add_argument("--results_dir")
args = arguments.parse_args()
names = workload(1)
spec = importlib.util.spec_from_file_location("program", args.program_path)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
start = process_time()
result = module.unique(names)
seconds = process_time() - start
right = result == list(dict.fromkeys(names))
with open(args.results_dir + "/metrics.json", "w") as file:
    json.dump({{"combined_score": 0.01 / max(seconds, 1e-12) if right else 0.0, "public": {{}}, "private": {{}}}}, file)
with open(args.results_dir + "/correct.json", "w") as file:
    json.dump({{"correct": right, "error": None}}, file)
with open({log!r}, "a") as file:
    file.write(json.dumps({{"cpu": process_time(), "score": 0.01 / max(seconds, 1e-12)}}) + "\\n")
"""


def _write(folder: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def write_openevolve(
    folder: Path, url: str, *, two: bool = False, apart: bool = True, timeout_s: int = 5, checkpoint: int = 1
) -> None:
    """Program, evaluator and config.yaml.  `apart`: the evaluator runs the candidate in a process of its own."""
    log = str(folder / "evaluations.jsonl")
    harness = HARNESS.format(workload=WORKLOAD, folder=str(folder))
    form = IN_ANOTHER if apart else IN_PROCESS
    config: dict[str, Any] = {
        "checkpoint_interval": checkpoint,
        "llm": {"api_base": url, "api_key": "${OPENAI_API_KEY}", "models": [{"name": "stub", "weight": 1.0}]},
        "evaluator": {
            # the evaluator's own time-out is the shorter one where it has one
            "timeout": timeout_s * 3 if apart else timeout_s,
            "memory_limit_mb": 256, "parallel_evaluations": 1, "cascade_evaluation": False,
        },
        "max_tasks_per_child": None,
    }  # fmt: skip
    _write(
        folder,
        {
            "initial.py": program(two),
            **({"helper.py": HELPER} if two else {}),
            "evaluator.py": form.format(workload=WORKLOAD, log=log, harness=harness, timeout=timeout_s),
            "config.yaml": json.dumps(config, indent=1),  # JSON is YAML
        },
    )


def write_shinka(folder: Path, *, two: bool = False, light: bool = False) -> None:
    """`initial.py` and `evaluate.py`, as `shinka_run --task-dir` wants them.  `light`: without `run_shinka_eval`."""
    log = str(folder / "evaluations.jsonl")
    _write(
        folder,
        {
            "initial.py": program(two),
            **({"helper.py": HELPER} if two else {}),
            "evaluate.py": (SHINKA_LIGHT if light else SHINKA).format(workload=WORKLOAD, log=log, folder=str(folder)),
        },
    )


def write_ratchet(folder: Path, *, cycles: int, two: bool = False, run_time_s: int = 5, pairs: int = 12) -> None:
    """A package with tests, benchmark and campaign.  Only the proposer asks a model; one candidate a cycle."""
    files = ["initial.py", *(["helper.py"] if two else [])]
    others = ("director", "voter", "supervisor", "historian")
    campaign = {
        "schema": 1,
        "name": "names",
        "kind": "code",
        "code": {
            "files": files,
            "tests": ["{python}", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
            "benchmark": ["{python}", "benchmark/bench.py"],
            "run_time_s": run_time_s,
            "memory_mb": 256,
            "pairs": pairs,
        },
        "environment": {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": "."},
        "budget": {"cycles": cycles},
        "council": {"proposers": ["rewrite"], "jobs_per_cycle": 1},
        "model": {"use": "openai:stub", "roles": dict.fromkeys(others, "none")},
        "noise": {"repeats": 1, "verdict_pairs": 2, "confirmations": 0},
    }
    _write(
        folder,
        {
            "initial.py": program(two),
            **({"helper.py": HELPER} if two else {}),
            "tests/test_initial.py": RATCHET_TESTS,
            "benchmark/bench.py": RATCHET_BENCHMARK.format(workload=WORKLOAD),
            "campaign.yaml": json.dumps(campaign, indent=1),
        },
    )
