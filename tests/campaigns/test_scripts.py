"""The example campaigns' scripts as the runner meets them: real processes, one config file, metrics on stdout."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

CAMPAIGNS = Path(__file__).parents[2] / "campaigns"
NAMES = ("breast_cancer", "digits_cnn")
DEADLINE_S = 100.0

Numbers = dict[str, float]


def campaign(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((CAMPAIGNS / name / "campaign.yaml").read_text(encoding="utf-8")))


def start(name: str, config: object, folder: Path) -> subprocess.Popen[str]:
    """The campaign's own command with its placeholders filled in, in a directory of its own."""
    folder.mkdir()
    path = folder / "config.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    places = {"python": sys.executable, "here": str(CAMPAIGNS / name), "config": str(path)}
    command = [word.format(**places) for word in campaign(name)["command"]]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> tuple[int, list[Numbers], str]:
    """Exit code, metrics lines, stderr."""
    try:
        stdout, stderr = process.communicate(timeout=DEADLINE_S)
    finally:
        process.kill()
    return process.returncode, [json.loads(line) for line in stdout.splitlines()], stderr


# A quick point of each space: these tests are about the contract, the campaigns' own tests run the baselines.
SMALL: dict[str, dict[str, Any]] = {
    "breast_cancer": {"trees": 15, "leaves": 4},
    "digits_cnn": {"channels": 4, "batch_size": 64},
}


@pytest.mark.parametrize("name", NAMES)
def test_equal_seeds_give_equal_metrics_and_other_seeds_another_split(name: str, tmp_path: Path) -> None:
    settings = campaign(name)
    config = settings["baseline"] | SMALL[name]
    started = [start(name, config | {"seed": seed}, tmp_path / str(i)) for i, seed in enumerate((1, 1, 2))]
    runs = [finish(process) for process in started]
    for code, lines, stderr in runs:
        assert code == 0, stderr
        assert stderr == ""
        progress, result = lines[:-1], lines[-1]
        assert [line["step"] for line in progress] == list(range(1, len(progress) + 1))
        assert len(progress) >= 5
        assert set(settings["metrics"]) <= set(result)
        assert "step" not in result
        assert all(math.isfinite(value) for line in lines for value in line.values())
    assert runs[0][1] == runs[1][1]
    assert runs[0][1] != runs[2][1]
    if "early_stop" in settings:
        assert settings["early_stop"]["metric"] in runs[0][1][0]


def test_the_perceptron_learns_the_cancer_data(tmp_path: Path) -> None:
    config = {"model": "mlp", "features": "log", "width": 16, "layers": 1, "activation": "tanh", "seed": 0}
    config |= {"learning_rate": 0.01, "weight_decay": 0.01, "epochs": 10}
    code, lines, stderr = finish(start("breast_cancer", config, tmp_path / "job"))
    assert (code, stderr) == (0, "")
    result = lines[-1]
    assert 0.98 < result["auc"] <= 1
    assert 0 < result["auc_se"] < 0.01
    assert 0.9 < result["sensitivity"] <= 1
    assert 0.9 < result["specificity"] <= 1
    assert result["auc"] == lines[-2]["auc"]


def test_a_diverging_network_fails(tmp_path: Path) -> None:
    config = campaign("digits_cnn")["baseline"] | SMALL["digits_cnn"]
    config |= {"optimizer": "sgd", "momentum": 0.99, "learning_rate": 1e6, "seed": 0}
    code, _, stderr = finish(start("digits_cnn", config, tmp_path / "job"))
    assert code == 1
    assert "diverged" in stderr
    assert len(stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "change", "word"),
    [
        ("breast_cancer", {"model": "oracle", "seed": 0}, "oracle"),
        ("breast_cancer", {"trees": "many", "seed": 0}, "trees"),
        ("breast_cancer", {}, "'seed'"),
        ("digits_cnn", {"optimizer": "lion", "seed": 0}, "lion"),
    ],
)
def test_a_wrong_config_is_one_line_and_exit_2(name: str, change: dict[str, Any], word: str, tmp_path: Path) -> None:
    code, lines, stderr = finish(start(name, campaign(name)["baseline"] | change, tmp_path / "job"))
    assert code == 2
    assert lines == []
    assert word in stderr
    assert len(stderr.splitlines()) == 1


@pytest.mark.parametrize("name", NAMES)
def test_the_baseline_lies_in_the_space(name: str) -> None:
    settings = campaign(name)
    baseline = settings["baseline"]
    active = {
        parameter: spec
        for parameter, spec in settings["space"].items()
        if all(baseline[parent] in values for parent, values in spec.get("when", {}).items())
    }
    assert set(baseline) == set(active)
    for parameter, spec in active.items():
        value = baseline[parameter]
        assert value in spec["options"] if spec["type"] == "choice" else spec["low"] <= value <= spec["high"]
