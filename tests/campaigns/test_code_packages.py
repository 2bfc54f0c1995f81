"""The packages of the code campaigns as their judge meets them: copies in another folder, their own commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.code_campaigns import log_analysis, quadrature
from benchmarks.code_campaigns.edits import Edit, apply, copy_of

CAMPAIGNS = Path(__file__).parents[2] / "campaigns"
PACKAGES = {"log_analysis": "logstats", "quadrature": "quadrature"}
DEADLINE_S = 100.0

WRONG = {
    "log_analysis": [
        Edit(
            "one request too few",
            (("logstats/parsing.py", "    return requests, rejected", "    return requests[1:], rejected"),),
        ),
        Edit("percentiles of the neighbour", (("logstats/rates.py", "* (place - below)", "* (place - below) ** 2"),)),
        Edit("equals in another order", (("logstats/ranking.py", "(-item[1], item[0])", "-item[1]"),)),
        Edit("text without its last line", (("logstats/report.py", "    return text\n", "    return text[:-1]\n"),)),
        Edit("keys of the JSON as they come", (("logstats/report.py", "sort_keys=True, ", ""),)),
        Edit(
            "the answer of another day",
            (
                (
                    "logstats/report.py",
                    '    return {\n        "lines"',
                    '    events.clear()\n    return {\n        "lines"',
                ),
            ),
        ),
    ],
    "quadrature": [
        Edit("no panel is ever divided", (("quadrature/adaptive.py", "> MARGIN * tolerance", "> 1e300"),)),
        Edit("not a number", (("quadrature/rules.py", "    return total\n", '    return total * float("nan")\n'),)),
        Edit("a value nearby", (("quadrature/rules.py", "    return total\n", "    return total * (1 + 3e-7)\n"),)),
    ],
}


def campaign(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((CAMPAIGNS / name / "campaign.yaml").read_text(encoding="utf-8")))


def run(name: str, what: str, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """A command of the campaign in a copy of its folder, without the plugins of our own environment."""
    command = [word.format(python=sys.executable) for word in campaign(name)["code"][what]]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [*command, *more], cwd=folder, env=environment, capture_output=True, text=True, timeout=DEADLINE_S, check=False
    )


def measured(name: str, folder: Path, *more: str) -> dict[str, Any]:
    done = run(name, "benchmark", folder, *more)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    return dict(json.loads(line))


@cache
def as_shipped(name: str, seed: str) -> dict[str, Any]:
    return measured(name, CAMPAIGNS / name, "--seed", seed)


@pytest.mark.parametrize("name", PACKAGES)
def test_what_may_change_and_what_judges_are_apart(name: str) -> None:
    told = campaign(name)
    assert (told["kind"], told["objective"]) == ("code", {"metric": "speedup", "goal": "maximize"})
    here = CAMPAIGNS / name / told["code"]["root"]
    changed = {path for pattern in told["code"]["files"] for path in here.glob(pattern)}
    judges = [here / one for one in told["code"]["judge"]]
    assert {path.relative_to(here).parts[0] for path in changed} == {PACKAGES[name]}
    assert all(judge.is_dir() for judge in judges)
    assert not any(path.is_relative_to(judge) for path in changed for judge in judges)


@pytest.mark.parametrize("name", PACKAGES)
def test_the_packages_own_tests_pass_where_it_stands_and_in_a_copy(name: str, tmp_path: Path) -> None:
    for folder in (CAMPAIGNS / name, copy_of(name, tmp_path)):
        done = run(name, "tests", folder)
        assert done.returncode == 0, done.stdout


def test_the_benchmark_of_the_logs_prints_seconds_and_a_check_of_each_day(tmp_path: Path) -> None:
    folder = copy_of("log_analysis", tmp_path)
    first, again, other = (measured("log_analysis", folder, "--seed", seed) for seed in ("0", "0", "5"))
    assert all(set(one) == {"seconds", "check"} and 0 < one["seconds"] < DEADLINE_S for one in (first, again, other))
    assert first["check"] == again["check"] != other["check"]


def test_the_benchmark_of_the_integrals_prints_seconds_and_an_error(tmp_path: Path) -> None:
    folder = copy_of("quadrature", tmp_path)
    first, again, other = (measured("quadrature", folder, "--seed", seed) for seed in ("0", "0", "5"))
    assert all(set(one) == {"seconds", "error"} and 0 < one["seconds"] < DEADLINE_S for one in (first, again, other))
    assert first["error"] == again["error"] != other["error"]
    assert max(first["error"], other["error"]) <= 1e-8


@pytest.mark.parametrize("name", PACKAGES)
def test_the_benchmark_takes_the_package_on_the_path(name: str, tmp_path: Path) -> None:
    """A broken copy elsewhere is what is judged, not the sound package beside the benchmark."""
    broken = copy_of(name, tmp_path)
    apply(WRONG[name][:1], broken)
    command = [sys.executable, str(CAMPAIGNS / name / "benchmark" / "bench.py")]
    environment = {**os.environ, "PYTHONPATH": str(broken), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "wrong result" in done.stderr


@pytest.mark.parametrize(
    ("name", "edit"), [pytest.param(name, edit, id=edit.name) for name in PACKAGES for edit in WRONG[name]]
)
def test_a_wrong_result_is_not_scored(name: str, edit: Edit, tmp_path: Path) -> None:
    folder = copy_of(name, tmp_path)
    apply([edit], folder)
    done = run(name, "benchmark", folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("wrong result")


def test_what_the_package_prints_does_not_reach_the_result(tmp_path: Path) -> None:
    folder = copy_of("log_analysis", tmp_path)
    aloud = Edit(
        "aloud", (("logstats/report.py", "    requests, bad", "    print('{\"seconds\": 0.0}')\n    requests, bad"),)
    )
    apply([aloud], folder)
    assert measured("log_analysis", folder)["seconds"] > 0


TRAPS = [
    *(pytest.param("log_analysis", edit, id=edit.name) for edit in log_analysis.TRAPS),
    *(pytest.param("quadrature", edit, id=edit.name) for edit in quadrature.TRAPS),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "edit"), TRAPS)
def test_a_trap_is_caught_by_the_packages_tests(name: str, edit: Edit, tmp_path: Path) -> None:
    folder = copy_of(name, tmp_path)
    apply([edit], folder)
    done = run(name, "tests", folder, "-x")
    assert done.returncode == 1, done.stdout
    assert " failed" in done.stdout or " error" in done.stdout


CEILINGS = {
    "all that pay": ("log_analysis", log_analysis.SOUND),
    "all that do not": ("log_analysis", (*log_analysis.SOUND, *log_analysis.IDLE)),
    "the integrator mended": ("quadrature", quadrature.SOUND),
    "the integrator tuned": ("quadrature", (quadrature.TUNED_AS_IT_SHIPS,)),
    "the integrator mended and tuned": ("quadrature", (*quadrature.SOUND, quadrature.TUNED)),
}


@pytest.mark.slow
@pytest.mark.parametrize("ceiling", CEILINGS)
def test_all_sound_edits_together_pass_tests_and_benchmark(ceiling: str, tmp_path: Path) -> None:
    name, edits = CEILINGS[ceiling]
    folder = copy_of(name, tmp_path)
    apply(edits, folder)
    done = run(name, "tests", folder)
    assert done.returncode == 0, done.stdout
    for seed in ("0", "5"):
        theirs, ours = measured(name, folder, "--seed", seed), as_shipped(name, seed)
        if "check" in ours:
            assert theirs["check"] == ours["check"]
        else:
            assert theirs["error"] <= 1e-8


def test_an_edit_that_does_not_fit_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"stale: a piece occurs 0 times in quadrature/rules\.py"):
        apply([Edit("stale", (("quadrature/rules.py", "no such text", ""),))], copy_of("quadrature", tmp_path))


def test_tunable_constants_are_written_so_that_they_can_be_read() -> None:
    source = (CAMPAIGNS / "quadrature" / "quadrature" / "adaptive.py").read_text(encoding="utf-8")
    found = [line for line in source.splitlines() if "# tunable: " in line]
    assert [line.split(" = ")[0] for line in found] == ["ORDER", "PANELS", "PIECES", "BATCH", "MARGIN"]
    for line in found:
        value, told = line.split(" = ")[1].split("  # tunable: ")
        low, high = told.removesuffix(" log").split("..")
        assert float(low) <= float(value) <= float(high)
        assert ("." in value) == ("." in low) == ("." in high)
