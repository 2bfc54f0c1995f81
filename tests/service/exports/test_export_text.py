"""Tables, JSON and spans of a campaign, as their readers read them."""

from __future__ import annotations

import base64
import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from command_line import Cli
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from told_campaign import EPOCH, Told, tell_cycle

from core.csv_text import csv_line
from core.events import parse_event
from service.exports.rows import rows_of
from service.exports.text import csv_text, json_text
from service.exports.traces import otlp_lines


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_trial_is_a_row_with_its_parameters_as_columns(told: Told) -> None:
    rows = table("".join(csv_text("trials", rows_of("trials", told.ledger, told.stored))))
    assert [row["status"] for row in rows] == ["ok", "stopped", "failed"] * 2
    first = rows[0]
    assert first["proposal"] == told.proposals[0].id
    assert (first["parameters.lr"], first["parameters.kind"], first["parameters.momentum"]) == ("0.01", "sgd", "0.1")
    assert (first["value"], first["metrics.loss"], first["metrics.time"]) == ("0.2", "0.2", "3.0")
    assert (first["seconds"], first["cycle"], first["seed"]) == ("0.75", "1", "7")
    assert rows[1]["parameters.momentum"] == ""  # it does not exist beside another optimizer
    assert (rows[2]["value"], rows[2]["cause"]) == ("", "crashed")


def test_what_a_spreadsheet_would_compute_is_quoted(told: Told) -> None:
    rows = table("".join(csv_text("trials", rows_of("trials", told.ledger, told.stored))))
    assert rows[0]["proposer"] == "'=HYPERLINK(1)"
    assert rows[0]["rationale"] == "'-2+3"


@given(st.lists(st.one_of(st.text(), st.integers(), st.floats(allow_nan=False), st.none()), min_size=1))
def test_no_cell_is_a_formula_and_every_cell_comes_back(cells: list[Any]) -> None:
    cells = [cell.replace("\0", "") if isinstance(cell, str) else cell for cell in cells]
    (read,) = csv.reader(io.StringIO(csv_line(["head", *cells]), newline=""))
    for cell, got in zip(cells, read[1:], strict=True):
        text = "" if cell is None else str(cell)
        if isinstance(cell, str):
            assert not got.startswith(("=", "+", "-", "@", "\t", "\r"))
        assert got.removeprefix("'") == text.removeprefix("'") or got == text


def test_json_tells_the_same_trials_nested(told: Told) -> None:
    rows = json.loads("".join(json_text("trials", rows_of("trials", told.ledger, told.stored))))
    assert rows[0]["parameters"] == dict(told.proposals[0].config)
    assert rows[3]["value"] == 0.1
    assert json.loads("".join(json_text("trials", []))) == []


def test_jobs_votes_and_episodes_have_tables_too(told: Told) -> None:
    jobs = json.loads("".join(json_text("jobs", rows_of("jobs", told.ledger, told.stored))))
    assert [job["purpose"] for job in jobs] == ["proposal"] * 6
    votes = table("".join(csv_text("votes", rows_of("votes", told.ledger, told.stored))))
    assert len(votes) == 8
    assert {(v["decision"], v["status"]) for v in votes} == {
        ("accept", "ok"), ("accept", "stopped"), ("accept", "failed"), ("reject", ""),
    }  # fmt: skip
    episodes = table("".join(csv_text("episodes", rows_of("episodes", told.ledger, told.stored))))
    assert [e["episode_number"] for e in episodes] == ["1", "2"]
    assert episodes[0]["metrics.tokens_used"] == "120"


def test_events_come_back_as_the_ledgers_own(told: Told) -> None:
    lines = "".join(json_text("events", rows_of("events", told.ledger, told.stored))).splitlines()
    assert [parse_event(line) for line in lines] == list(told.ledger.events(told.stored.id))
    rows = table("".join(csv_text("events", rows_of("events", told.ledger, told.stored))))
    assert [row["type"] for row in rows] == [event.type for event in told.ledger.events(told.stored.id)]


# --------------------------------------------------------------------- traces


def spans(told: Told) -> list[dict[str, Any]]:
    return [
        span
        for line in otlp_lines(told.ledger, told.stored)
        for resource in json.loads(line)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]


def test_lines_are_otlp_in_json(told: Told) -> None:
    """Protobuf's own mapping reads bytes as base64, where OTLP's says hexadecimal: only that is put right."""
    for line in otlp_lines(told.ledger, told.stored):
        data = json.loads(line)
        for span in data["resourceSpans"][0]["scopeSpans"][0]["spans"]:
            for name, size in (("traceId", 16), ("spanId", 8), ("parentSpanId", 8)):
                raw = bytes.fromhex(span[name])
                assert len(raw) == size or (name == "parentSpanId" and not raw)
                span[name] = base64.b64encode(raw).decode()
        read = json_format.ParseDict(data, TracesData(), ignore_unknown_fields=False)
        (resource,) = read.resource_spans
        assert resource.resource.attributes[0].value.string_value == "ratchet"
        run = resource.scope_spans[0].spans[0]
        assert run.name == f"campaign {told.stored.id}"
        assert run.start_time_unix_nano == int((EPOCH + 1) * 1e9)


def test_a_run_holds_its_cycles_and_they_their_jobs_and_calls(told: Told) -> None:
    found = spans(told)
    by_id = {span["spanId"]: span for span in found}
    assert len(by_id) == len(found)
    assert len({span["traceId"] for span in found}) == 1
    (run,) = (span for span in found if not span["parentSpanId"])
    cycles = [span for span in found if span["parentSpanId"] == run["spanId"]]
    assert [span["name"] for span in cycles] == ["cycle 1", "cycle 2"]
    for cycle in cycles:
        inside = [span for span in found if span["parentSpanId"] == cycle["spanId"]]
        assert [span["name"] for span in inside] == [
            'chat ollama:"a"\\b', "chat ollama:b", "job proposal", "job proposal", "job proposal",
        ]  # fmt: skip
        assert [span["status"]["code"] for span in inside] == [1, 2, 1, 1, 2]
        assert {event["name"] for event in cycle["events"]} >= {
            "DirectionSet",
            "ProposalMade",
            "VoteCast",
            "RoleFailed",
        }
    for span in found:
        start, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
        over = by_id.get(span["parentSpanId"], span)
        assert int(over["startTimeUnixNano"]) <= start <= end <= int(over["endTimeUnixNano"])
    (call,) = (s for s in found if s["name"].startswith('chat ollama:"a"') and s["parentSpanId"] == cycles[0]["spanId"])
    assert int(call["endTimeUnixNano"]) - int(call["startTimeUnixNano"]) == 500_000_000


def test_ids_stay_and_texts_of_errors_stay_away(told: Told) -> None:
    before = spans(told)
    tell_cycle(told, 3)
    after = spans(told)
    assert [span["spanId"] for span in after[: len(before)]] == [span["spanId"] for span in before]
    assert "away" not in json.dumps(after)  # what stands behind the kind of an error


# ------------------------------------------------------------------ the command


@pytest.fixture
def home(told: Told) -> Path:
    return told.folder.home


def test_the_command_writes_a_file_once(cli: Cli, home: Path, tmp_path: Path) -> None:
    out = tmp_path / "trials.csv"
    made = cli("export", "told-1", "--to", "csv", "--out", out, "--json", home=home)
    assert (made.code, made.json["file"]) == (0, str(out))
    text = out.read_text()
    assert out.stat().st_mode & 0o777 == 0o600
    again = cli("export", "--to", "csv", "--what", "votes", "--out", out, home=home)
    assert again.code == 3
    assert "--force" in again.err
    assert out.read_text() == text
    assert cli("export", "--to", "csv", "--what", "votes", "--out", out, "--force", home=home).code == 0
    assert out.read_text().startswith("cycle,proposal,proposer,voter")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "trials.csv"]


def test_without_a_file_it_goes_to_stdout(cli: Cli, home: Path) -> None:
    assert len(table(cli("export", "--to", "csv", home=home).out)) == 6
    assert len(json.loads(cli("export", "--to", "json", "--out", "-", home=home).out)) == 6
    assert "ratchet_cycles_finished_total 2\n" in cli("export", "--to", "prometheus", home=home).out
    assert json.loads(cli("export", "--to", "traces", home=home).out)["resourceSpans"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--to", "csv", "--json"], 2),
        (["--to", "traces", "--what", "jobs"], 2),
        (["told-1", "--to", "prometheus"], 2),
        (["--to", "optuna", "--out", "-"], 2),
        (["--to", "optuna", "--force"], 2),
        (["--to", "xml"], 2),
        (["nobody-7", "--to", "csv"], 3),
        (["--to", "csv", "--out", "."], 3),
        (["--to", "csv", "--out", "nowhere/x.csv"], 4),
        (["--to", "mlflow", "--out", "https://mlflow.example.com", "--set", "safe_mode=true"], 3),
    ],
)
def test_what_cannot_be_is_one_error(cli: Cli, home: Path, words: list[str], code: int) -> None:
    answer = cli("export", *words, home=home)
    assert answer.code == code
    if "--json" in words:
        assert answer.json["error"]["exit_code"] == code
    else:
        assert answer.err.startswith("error")
        assert answer.err.count("error  ") == 1


def test_nothing_was_run_is_said(cli: Cli, tmp_path: Path) -> None:
    assert cli("export", "--to", "csv", home=tmp_path / "none").code == 3
