"""What a job does, and what is said of it: every way to end, by real processes."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from job_scripts import MakeSpec, run

from runtime.jobs import StopRule, read_result


def test_success_takes_the_last_value_of_each_metric(make_spec: MakeSpec) -> None:
    spec = make_spec(
        """
        print("starting up")
        print('{"step": 1, "auc": 0.5, "note": "text", "flag": true, "nested": {"a": 1}}')
        print('{"step": 2, "auc": 0.75}')
        print('{"auc": 0.875, "auc_se": 0.0625, "loss": 1}')
        """,
        metrics_required=("auc",),
    )
    result = run(spec)
    assert (result.status, result.cause, result.exit_code) == ("ok", "", 0)
    assert result.metrics == {"auc": 0.875, "loss": 1.0}
    assert result.noise == {"auc": 0.0625}
    assert result.steps == 2
    assert result.duration_s > 0
    assert result.cpu_s > 0
    assert 1 < result.peak_memory_mb < 500
    assert read_result(spec.directory, 1) == result


def test_config_seed_and_directory_reach_the_job(make_spec: MakeSpec) -> None:
    spec = make_spec(
        """
        import json, os, pathlib
        config = json.load(open(os.environ["RATCHET_CONFIG"]))
        here = pathlib.Path.cwd() == pathlib.Path(os.environ["RATCHET_DIRECTORY"])
        open(os.environ["TMPDIR"] + "/scratch", "w").close()
        print(json.dumps({"rate": config["rate"], "seed": config["seed"], "told": int(os.environ["RATCHET_SEED"]),
                          "here": int(here)}))
        """,
        config={"rate": 0.25},
        seed=7,
    )
    assert run(spec).metrics == {"rate": 0.25, "seed": 7.0, "told": 7.0, "here": 1.0}
    assert not (spec.directory / "tmp").exists()
    assert (spec.directory / "config.json").stat().st_mode & 0o077 == 0


def test_metrics_file_overrides_what_was_printed(make_spec: MakeSpec) -> None:
    spec = make_spec(
        """
        print('{"auc": 0.1, "loss": 3}')
        open("metrics.json", "w").write('{"auc": 0.9, "auc_se": 0.01}')
        """,
        metrics_required=("auc",),
    )
    result = run(spec)
    assert (result.status, result.metrics, result.noise) == ("ok", {"auc": 0.9, "loss": 3.0}, {"auc": 0.01})


@pytest.mark.parametrize(
    ("write", "said"),
    [
        ("os.symlink('/etc/hostname', 'metrics.json')", "cannot be read"),
        ("os.mkfifo('metrics.json')", "not a regular file"),
        ("open('metrics.json', 'w').write('{\"auc\": 1, \"pad\": \"' + 'x' * 2_000_000 + '\"}')", "larger than"),
        ("open('metrics.json', 'w').write('[' * 100_000)", "not a JSON object"),
    ],
)
def test_a_metrics_file_that_is_a_trap_is_not_read(make_spec: MakeSpec, write: str, said: str) -> None:
    result = run(make_spec(f"import os\n{write}", metrics_required=("auc",)))
    assert (result.status, result.cause) == ("failed", "no_metric")
    assert said in result.reason


def test_patterns_read_plain_text(make_spec: MakeSpec) -> None:
    spec = make_spec(
        "print('epoch 1 loss=0.5'); print('epoch 2 loss=0.25'); print('final accuracy: 97.5%')",
        patterns={"step": r"epoch (\d+)", "loss": r"loss=([\d.]+)", "accuracy": r"accuracy: ([\d.]+)%"},
        metrics_required=("loss", "accuracy"),
    )
    result = run(spec)
    assert (result.status, result.metrics, result.steps) == ("ok", {"loss": 0.25, "accuracy": 97.5}, 2)


def test_a_pattern_that_explodes_does_not_hang_the_keeper(make_spec: MakeSpec) -> None:
    spec = make_spec("print('a' * 40 + '!'); print('loss=2')", patterns={"x": r"^(a|aa)+$", "loss": r"loss=(\d)"})
    result = run(spec)
    assert (result.status, result.metrics) == ("ok", {"loss": 2.0})
    assert "pattern of x takes too long" in result.reason


def test_not_finite(make_spec: MakeSpec) -> None:
    result = run(make_spec('print(\'{"loss": NaN, "auc": Infinity}\')', metrics_required=("loss", "auc")))
    assert (result.status, result.cause) == ("failed", "not_finite")
    assert "loss is nan" in result.reason
    assert math.isnan(result.metrics["loss"])
    assert result.metrics["auc"] == math.inf


def test_no_metric_names_what_is_missing_and_what_came(make_spec: MakeSpec) -> None:
    result = run(make_spec("print('{\"loss\": 1}')", metrics_required=("auc",)))
    assert (result.status, result.cause) == ("failed", "no_metric")
    assert "auc" in result.reason
    assert "loss" in result.reason


def test_crash_tells_the_exception(make_spec: MakeSpec) -> None:
    spec = make_spec(
        """
        import sys
        def train(): raise ValueError("no kernel \\x1b[31mred\\u202e")
        try:
            train()
        finally:
            print('{"auc": 0.5}')
        """,
        metrics_required=("auc",),
    )
    result = run(spec)
    assert (result.status, result.cause, result.exit_code) == ("failed", "crashed", 1)
    assert result.reason == "exit code 1: ValueError: no kernel red\\u202e"
    assert result.metrics == {"auc": 0.5}


def test_exit_code_zero_is_needed_and_a_signal_is_named(make_spec: MakeSpec) -> None:
    result = run(make_spec(command=("/bin/sh", "-c", "kill -SEGV $$")))
    assert (result.cause, result.exit_code) == ("crashed", -11)
    assert "SIGSEGV" in result.reason


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("no-such-program-here",), "command not found: no-such-program-here"),
        (("/",), "not executable: /"),
        (("./missing.sh",), "command not found"),
    ],
)
def test_a_command_that_cannot_start(make_spec: MakeSpec, command: tuple[str, ...], said: str) -> None:
    result = run(make_spec(command=command))
    assert (result.status, result.cause, result.exit_code) == ("failed", "start", None)
    assert said in result.reason


def test_a_text_file_without_interpreter_line(make_spec: MakeSpec, tmp_path: Path) -> None:
    program = tmp_path / "train"
    program.write_text("echo hello")
    program.chmod(0o755)
    result = run(make_spec(command=(str(program),)))
    assert result.cause == "start"
    assert "#!" in result.reason


def test_early_stop_at_a_threshold(make_spec: MakeSpec) -> None:
    spec = make_spec(
        """
        import time
        for step in range(1, 1000):
            print('{"step": %d, "loss": %f}' % (step, 10.0 / step))
            time.sleep(0.05)
        """,
        stop_rule=StopRule(metric="loss", goal="minimize", thresholds={1: 20.0, 3: 1.0}),
        metrics_required=("loss", "auc"),
    )
    result = run(spec)
    assert (result.status, result.cause) == ("stopped", "")
    assert "at step 3" in result.reason
    assert result.steps < 100
    assert result.exit_code == -9


def test_a_job_as_good_as_the_threshold_goes_on(make_spec: MakeSpec) -> None:
    spec = make_spec('print(\'{"step": 1, "auc": 0.5}\')', stop_rule=StopRule(metric="auc", thresholds={1: 0.5}))
    assert run(spec).status == "ok"


def test_nan_at_a_threshold_ends_a_diverged_job(make_spec: MakeSpec) -> None:
    spec = make_spec(
        'import time\nprint(\'{"step": 1, "loss": NaN}\')\ntime.sleep(600)',
        stop_rule=StopRule(metric="loss", goal="minimize", thresholds={1: 0.5}),
    )
    result = run(spec)
    assert (result.status, result.cause) == ("failed", "not_finite")


def test_results_survive_what_the_job_does_to_its_directory(make_spec: MakeSpec) -> None:
    spec = make_spec(
        """
        import os
        os.mkdir("result.json")
        open("result.json/x", "w").close()
        for name in ("result.json.waiting", "metrics.jsonl", "poke", "started.json"):
            os.unlink(name)
        os.symlink("/nowhere/at/all", "result.json.waiting")
        print('{"auc": 1}')
        """,
        metrics_required=("auc",),
    )
    result = run(spec)
    assert (result.status, result.metrics) == ("ok", {"auc": 1.0})


def test_secrets_of_the_parent_stay_there(make_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "tok-5ecre7-91b2"
    for name in ("GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "OPENAI_API_KEY", "PYTHONPATH", "VIRTUAL_ENV"):
        monkeypatch.setenv(name, secret)
    spec = make_spec(
        """
        import os, sys
        keeper = open(f"/proc/{os.getppid()}/environ").read() if os.path.exists("/proc") else ""
        print(sorted(os.environ.items()), keeper)
        print("given", os.environ["GIVEN"], os.environ["OMP_NUM_THREADS"], os.environ["PYTHONHASHSEED"])
        """,
        environment={"GIVEN": "g1ven-v4lue"},
    )
    assert run(spec).status == "ok"
    for path in spec.directory.rglob("*"):
        assert secret not in path.read_text()
    assert "given g1ven-v4lue 1 0" in (spec.directory / "stdout.log").read_text()
    assert "g1ven-v4lue" not in (spec.directory / "spec.json").read_text()
    assert '"GIVEN"' in (spec.directory / "spec.json").read_text()


def test_a_metrics_flood_is_bounded_and_the_last_values_count(make_spec: MakeSpec) -> None:
    spec = make_spec(
        """
        import sys
        for step in range(30_000):
            sys.stdout.write('{"step": %d, "auc": %d}\\n' % (step, step))
        """,
        metrics_required=("auc",),
    )
    result = run(spec)
    assert (result.status, result.steps, result.metrics) == ("ok", 30_000, {"auc": 29_999.0})
    assert result.reason == "10000 of its reports were not kept"
    assert len((spec.directory / "metrics.jsonl").read_bytes().splitlines()) == 20_000


def test_sockets_fit_into_the_temporary_directory_of_a_deep_job(make_spec: MakeSpec, tmp_path: Path) -> None:
    """A socket's path is short; worker processes of training libraries put theirs into TMPDIR."""
    spec = make_spec(
        """
        import os, socket, tempfile
        from multiprocessing.managers import SyncManager
        if __name__ == "__main__":
            with SyncManager() as manager:
                print('{"length": %d}' % len(manager.list([1, 2])))
            open("where", "w").write(tempfile.gettempdir())
        """,
        metrics_required=("length",),
    )
    spec = spec.model_copy(update={"directory": tmp_path / ("d" * 60) / "job"})
    result = run(spec)
    assert (result.status, result.metrics) == ("ok", {"length": 2.0}), result.reason
    assert not Path((spec.directory / "where").read_text()).exists()
    assert not (spec.directory / "tmp").exists()
