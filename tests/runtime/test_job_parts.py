"""The parts under every input: lines, kept output, metrics, stop rule, reasons, commands, specs."""

from __future__ import annotations

import json
import math
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.errors import ConfigError
from runtime.jobs import JobSpec, resolve_command
from runtime.keeper.metrics import MAX_METRICS, Metrics, StopRule
from runtime.keeper.output import LINE_LIMIT_BYTES, KeptOutput, Lines
from runtime.keeper.reason import REASON_CHARACTERS, describe_exit, last_words, one_line


@given(st.lists(st.binary(max_size=40).map(lambda b: b.replace(b"\r", b"\n")), max_size=20))
def test_lines_do_not_depend_on_how_the_stream_is_cut(chunks: list[bytes]) -> None:
    lines = Lines()
    found = [line for chunk in chunks for line in lines.feed(chunk)] + lines.end()
    whole = b"".join(chunks)
    assert found == whole.split(b"\n")[: None if whole and not whole.endswith(b"\n") else -1]


@given(st.integers(1, 7), st.integers(LINE_LIMIT_BYTES - 2, LINE_LIMIT_BYTES + 2))
def test_only_lines_beyond_the_limit_are_dropped(pieces: int, size: int) -> None:
    content = b"a\n" + b"x" * size + b"\nb\n"
    lines, step = Lines(), len(content) // pieces + 1
    found = [line for at in range(0, len(content), step) for line in lines.feed(content[at : at + step])]
    assert [len(line) for line in found] == ([1, size, 1] if size <= LINE_LIMIT_BYTES else [1, 1])


@given(st.lists(st.integers(1, 30_000), max_size=12))
def test_kept_output_is_bounded_and_keeps_both_ends(tmp_path_factory: pytest.TempPathFactory, sizes: list[int]) -> None:
    path = tmp_path_factory.mktemp("log")
    directory = os.open(path, os.O_RDONLY)
    keep = 16 * 1024
    try:
        output = KeptOutput(directory, "log", keep)
        content = b""
        for number, size in enumerate(sizes):
            chunk = bytes([65 + number]) * size
            output.add(chunk)
            content += chunk
            assert (path / "log").stat().st_size <= keep + size
    finally:
        os.close(directory)
    kept = (path / "log").read_bytes()
    assert len(kept) <= keep
    assert kept[:4000] == content[:4000]
    assert kept[-4000:] == content[-4000:] if len(content) >= 4000 else kept == content
    assert output.total == len(content)


def _line(value: object) -> bytes:
    return json.dumps(value).encode()


def test_what_counts_as_a_metric() -> None:
    metrics = Metrics({})
    line = b'{"a": 1, "b": 2.5, "c": NaN, "d": -Infinity, "t": true, "s": "1", "n": null, "l": [1], "o": {"x": 1}}'
    report = metrics.read(line)
    assert report is not None
    step, values = report
    assert step is None
    assert values.keys() == {"a", "b", "c", "d"}
    assert math.isnan(values["c"])
    assert values["d"] == -math.inf
    for line in (b"", b"[1]", b"{", b"{}", b'{"a": "x"}', b"{" * 5000, b"\xff\xfe{", b'{"a": 1} trailing'):
        assert metrics.read(line) is None


@given(st.binary(max_size=300))
def test_no_line_breaks_the_reader(line: bytes) -> None:
    Metrics({"x": r"x=(\S+)"}).read(line)
    Metrics({}).read(b"{" + line + b"}")


def test_numbers_and_names_out_of_range() -> None:
    metrics = Metrics({})
    assert metrics.read(b'{"a": 1' + b"0" * 400 + b"}") == (None, {"a": math.inf})
    assert metrics.read(b'{"a": 1' + b"0" * 5000 + b"}") is None
    assert metrics.read(_line({"x" * 101: 1, "esc\x1b[31m": 1, "": 1})) is None
    assert metrics.read(b'{"step": 1.5, "a": 1}') == (None, {"a": 1.0})
    assert metrics.read(b'{"step": NaN}') is None
    for number in range(2 * MAX_METRICS):
        metrics.read(_line({f"m{number}": number}))
    assert len(metrics.latest) == MAX_METRICS


def test_standard_errors_are_noise_unless_required_or_alone() -> None:
    metrics = Metrics({})
    metrics.merge({"auc": 1.0, "auc_se": 0.1, "lonely_se": 2.0, "bad": 1.0, "bad_se": math.nan})
    assert metrics.split(["auc"]) == ({"auc": 1.0, "lonely_se": 2.0, "bad": 1.0}, {"auc": 0.1})
    assert metrics.split(["auc_se"]) == ({"auc": 1.0, "auc_se": 0.1, "lonely_se": 2.0, "bad": 1.0}, {})


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_stop_rule_is_the_mirror_of_itself(value: float, threshold: float) -> None:
    up = StopRule("m", "maximize", {"3": threshold}).judge((3, {"m": value}))
    down = StopRule("m", "minimize", {"3": -threshold}).judge((3, {"m": -value}))
    assert (up is None) == (down is None) == (value >= threshold)


def test_stop_rule_looks_at_its_steps_and_metric_only() -> None:
    rule = StopRule("m", "maximize", {"3": 0.5})
    assert rule.judge((2, {"m": 0.0})) is None
    assert rule.judge((None, {"m": 0.0})) is None
    assert rule.judge((3, {"other": 0.0})) is None
    assert rule.judge((3, {"m": 0.4})) == ("stopped", "", "m is 0.4 at step 3, worse than 0.5")


@pytest.mark.parametrize(
    ("stderr", "words"),
    [
        (b"", ""),
        (b"warning: slow\n\n", "warning: slow"),
        (b"10%\r50%\r100%\n", "100%"),
        (b"Traceback (most recent call last):\n  File x\n    y()\nValueError: bad\n", "ValueError: bad"),
        (b"Traceback (most recent call last):\n  File x\nMyError: two\nlines of it\n", "MyError: two"),
        (
            b"Traceback (most recent call last):\n a\nA: 1\n\nDuring that\n\n"
            b"Traceback (most recent call last):\n b\nB: 2",
            "B: 2",
        ),
        (b"\x1b[31mred\x1b[0m\n", "red"),
    ],
)
def test_last_words(stderr: bytes, words: str) -> None:
    assert last_words(stderr) == words


@given(st.binary(max_size=2000), st.integers(-70, 255))
def test_a_reason_is_one_printable_line(stderr: bytes, code: int) -> None:
    reason = describe_exit(code, stderr)
    assert reason.isprintable()
    assert len(reason) <= REASON_CHARACTERS


def test_hidden_characters_are_shown() -> None:
    assert one_line("a\nb\x07\u202e\x9b") == r"a\nb\x07\u202e\x9b"


def test_resolve_command(tmp_path: Path) -> None:
    command = resolve_command(
        ("{python}", "{here}/train.py", "--out={directory}", "{config}", '{"a": 1}', "{}"),
        tmp_path / "campaign",
        tmp_path / "job/config.json",
        tmp_path / "job",
    )
    train, out, config = f"{tmp_path}/campaign/train.py", f"--out={tmp_path}/job", f"{tmp_path}/job/config.json"
    assert command == (sys.executable, train, out, config, '{"a": 1}', "{}")
    with pytest.raises(ConfigError, match=r"\{pyhton\}") as caught:
        resolve_command(("{pyhton}",), tmp_path, tmp_path, tmp_path)
    assert "python" in caught.value.hint


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "../up"},
        {"id": ""},
        {"command": ()},
        {"command": ("a\0b",)},
        {"environment": {"A=B": "1"}},
        {"environment": {"A": "\0"}},
        {"patterns": {"x": "no group"}},
        {"patterns": {"x": "(unclosed"}},
        {"attempt": 0},
        {"unknown": 1},
    ],
)
def test_a_spec_that_cannot_be_carried_out_is_refused(tmp_path: Path, fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        JobSpec.model_validate({"id": "j-1", "directory": tmp_path, "command": ("true",), **fields})
