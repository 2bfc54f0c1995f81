"""The audit: one unbroken chain from any number of processes; whatever is done to it afterwards shows, and where."""

from __future__ import annotations

import csv
import hashlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from postgres_cluster import cluster, missing

from core.errors import StorageError
from core.policy import Action, Decision, PolicyContext
from memory import schema
from memory.audit import GENESIS, Audit, AuditHead
from memory.audit_export import export_audit
from memory.ledger import Ledger

KEY = "sk-ant-0123456789abcdef"


def decision(number: int = 0, action: Action = Action.READ, **rest: object) -> Decision:
    said = {"action": action, "answer": "allowed", "risk": 0.1, "parts": {"action": 0.1}, "rule": "look"}
    return Decision.model_validate({**said, "reason": f"number {number}", "at": 1000.0 + number, **rest})


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with cluster() as url:
        yield url


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param(
            "postgresql",
            marks=[pytest.mark.skipif(bool(missing()), reason=missing()), pytest.mark.xdist_group("postgres")],
        ),
    ]
)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    sqlite = request.param == "sqlite"
    with Ledger(tmp_path / "ledger.db" if sqlite else request.getfixturevalue("server")) as opened:
        yield opened
        if not sqlite:
            schema.metadata.drop_all(opened.database.engine)


@pytest.fixture
def audit(ledger: Ledger) -> Audit:
    return Audit(ledger.database, lambda: 5.0)


def filled(audit: Audit, count: int = 6) -> list[AuditHead]:
    """The head after each of `count` entries."""
    heads = []
    for number in range(count):
        audit.append(decision(number), PolicyContext(actor=f"a{number % 2}", details={"number": number}))
        heads.append(audit.head())
    return heads


def run(ledger: Ledger, *statements: sa.Executable) -> None:
    with ledger.database.write() as connection:
        for statement in statements:
            connection.execute(statement)


# -------------------------------------------------------------------------------------------------- kept and found


def test_an_entry_says_what_was_decided_on_what(audit: Audit) -> None:
    assert audit.head() == AuditHead(0, GENESIS)
    assert audit.verify().whole
    context = PolicyContext(actor="ann@example.org", route="cli", roles=("owner",), change_count=3)
    entry = audit.append(decision(1, Action.PR_PROPOSE, answer="ask", rule="propose"), context)
    assert list(audit.entries()) == [entry]
    assert (entry.seq, entry.at, entry.action, entry.decision) == (1, 1001.0, "PR_PROPOSE", "ask")
    assert (entry.actor, entry.route, entry.tenant) == ("ann@example.org", "cli", "default")
    assert entry.context["change_count"] == 3
    assert (entry.previous, audit.head()) == (GENESIS, AuditHead(1, entry.hash))
    assert audit.append(decision(at=0.0), context).at == 5.0


def test_secrets_and_what_no_database_takes_do_not_get_in(audit: Audit, ledger: Ledger) -> None:
    details = {"api_key": "abcdefghij", "text": f"use {KEY} \0 \udc80", "\udc80\0": [1e300, float("nan"), 2**70]}
    audit.append(decision(), PolicyContext(actor=f"token={KEY}", route=KEY, details=details))
    audit.append(decision(), PolicyContext(details={"big": "x" * 100_000}))
    with ledger.database.read() as connection:
        text = "".join(str(value) for row in connection.execute(sa.select(schema.audit)) for value in row)
    assert KEY not in text
    assert "abcdefghij" not in text
    assert len(text) < 10_000
    assert audit.verify().whole


def test_entries_are_found_by_what_they_say_page_by_page(audit: Audit) -> None:
    for number in range(12):
        action = Action.DEPLOY if number % 3 == 0 else Action.READ
        answer = "denied" if number % 2 else "allowed"
        audit.append(
            decision(number, action, answer=answer),
            PolicyContext(actor=f"a{number % 4}", tenant="acme" if number > 9 else "default"),
        )
    assert [e.seq for e in audit.entries(action="DEPLOY")] == [1, 4, 7, 10]
    assert [e.seq for e in audit.entries(actor="a1", decision="denied")] == [2, 6, 10]
    assert [e.seq for e in audit.entries(since=1003.0, until=1006.0)] == [4, 5, 6]
    assert [e.seq for e in audit.entries(tenant="acme")] == [11, 12]
    assert [e.seq for e in audit.entries(newest_first=True, limit=2)] == [12, 11]
    assert [e.seq for e in audit.entries(newest_first=True, before=11, limit=2)] == [10, 9]
    pages, after = [], 0
    while page := list(audit.entries(action="READ", after=after, limit=3)):
        pages.append([e.seq for e in page])
        after = page[-1].seq
    assert pages == [[2, 3, 5], [6, 8, 9], [11, 12]]


# ------------------------------------------------------------------------------------------------------- tampering

COLUMNS = {
    "at": 1.5, "action": "GUIDE", "decision": "denied", "risk": 0.9, "actor": "eve", "route": "x", "tenant": "y",
    "body": "{}", "hash": "f" * 64,
}  # fmt: skip


@pytest.mark.parametrize("column", COLUMNS)
def test_a_change_of_any_column_of_any_entry_is_found_there(audit: Audit, ledger: Ledger, column: str) -> None:
    filled(audit)
    table = schema.audit
    for seq in range(1, 7):
        with ledger.database.read() as connection:
            before = connection.execute(sa.select(table.c[column]).where(table.c.seq == seq)).scalar()
        change = sa.update(table).where(table.c.seq == seq)
        run(ledger, change.values({column: COLUMNS[column]}))
        found = audit.verify()
        assert (found.whole, found.broken_at, found.entries) == (False, seq, seq - 1), found
        run(ledger, change.values({column: before}))
        assert audit.verify().whole


@pytest.mark.parametrize("seq", range(1, 7))
def test_a_forged_entry_with_a_fitting_hash_breaks_the_next_one(audit: Audit, ledger: Ledger, seq: int) -> None:
    heads = filled(audit)
    table = schema.audit
    with ledger.database.read() as connection:
        body = json.loads(connection.execute(sa.select(table.c.body).where(table.c.seq == seq)).scalar_one())
    forged = json.dumps({**body, "reason": "all is well"}, sort_keys=True, separators=(",", ":"))
    hashed = hashlib.sha256(forged.encode()).hexdigest()
    run(ledger, sa.update(table).where(table.c.seq == seq).values(body=forged, hash=hashed))
    if seq < 6:
        assert audit.verify().broken_at == seq + 1
    else:  # the last entry has no next one: only what was published before tells
        assert audit.verify().whole
    found = audit.verify(heads[seq - 1])
    assert found.broken_at == seq
    assert "published" in found.fault


@pytest.mark.parametrize("seq", range(1, 7))
def test_a_deleted_entry_is_missed_and_a_cut_end_only_against_a_published_head(
    audit: Audit, ledger: Ledger, seq: int
) -> None:
    heads = filled(audit)
    run(ledger, sa.delete(schema.audit).where(schema.audit.c.seq == seq))
    if seq < 6:
        assert audit.verify().broken_at == seq
        assert "missing" in audit.verify().fault
    else:
        assert audit.verify().whole
    run(ledger, sa.delete(schema.audit).where(schema.audit.c.seq >= seq))
    assert audit.verify().whole
    for published in heads[seq - 1 :]:
        found = audit.verify(published)
        assert (found.broken_at, "the end is missing" in found.fault) == (seq, True)
    for earlier in heads[: seq - 1]:
        assert audit.verify(earlier).whole


@pytest.mark.parametrize(("first", "second"), [(a, b) for a in range(1, 7) for b in range(a + 1, 7)])
@pytest.mark.parametrize("renumbered", [False, True])
def test_two_entries_that_change_places_are_found(
    audit: Audit, ledger: Ledger, first: int, second: int, renumbered: bool
) -> None:
    filled(audit)
    table = schema.audit
    with ledger.database.read() as connection:
        rows = {row.seq: dict(row._mapping) for row in connection.execute(sa.select(table))}
    moved = {**rows[second], "seq": first}, {**rows[first], "seq": second}
    if renumbered:  # by somebody who makes the hash anew too
        for row in moved:
            row["body"] = json.dumps(
                {**json.loads(row["body"]), "seq": row["seq"]}, sort_keys=True, separators=(",", ":")
            )
            row["hash"] = hashlib.sha256(row["body"].encode()).hexdigest()
    run(ledger, sa.delete(table).where(table.c.seq.in_((first, second))), sa.insert(table).values(list(moved)))
    assert audit.verify().broken_at == first


def test_an_entry_put_before_the_first_is_found(audit: Audit, ledger: Ledger) -> None:
    filled(audit, 2)
    with ledger.database.read() as connection:
        row = dict(connection.execute(sa.select(schema.audit)).first()._mapping)  # type: ignore[union-attr]
    run(ledger, sa.insert(schema.audit).values({**row, "seq": 0}))
    assert audit.verify().broken_at == 0


def test_an_entry_that_is_none_is_named_and_not_read(audit: Audit, ledger: Ledger) -> None:
    filled(audit, 2)
    for body in ("{}", "no json", "[1]", "7"):
        hashed = hashlib.sha256(body.encode()).hexdigest()
        run(ledger, sa.update(schema.audit).where(schema.audit.c.seq == 2).values(body=body, hash=hashed))
        assert audit.verify().broken_at == 2
        with pytest.raises(StorageError, match="cannot be read"):
            list(audit.entries())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.text(max_size=9),
        st.recursive(st.none() | st.floats() | st.text(max_size=9) | st.integers(), st.lists, max_leaves=5),
        max_size=4,
    )
)
def test_whatever_a_caller_tells_the_chain_stays_whole(ledger: Ledger, details: dict[str, object]) -> None:
    audit = Audit(ledger.database)
    entry = audit.append(decision(), PolicyContext(details=details))
    assert list(audit.entries(newest_first=True, limit=1)) == [entry]
    assert audit.verify(AuditHead(entry.seq, entry.hash)).whole


# ---------------------------------------------------------------------------------------------------------- export


def test_an_export_as_json_lines_can_be_verified_without_us(audit: Audit, tmp_path: Path) -> None:
    heads = filled(audit, 5)
    audit.append(decision(9), PolicyContext(actor="jörg", details={"é": "ü\n"}))
    assert export_audit(audit.entries(), tmp_path / "audit.jsonl", "jsonl") == 6
    assert (tmp_path / "audit.jsonl").stat().st_mode & 0o777 == 0o600
    previous = "0" * 64
    for number, line in enumerate((tmp_path / "audit.jsonl").read_text(encoding="utf-8").splitlines(), start=1):
        told = json.loads(line)
        hashed = told.pop("hash")
        body = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert hashlib.sha256(body.encode()).hexdigest() == hashed
        assert (told["seq"], told["previous"]) == (number, previous)
        previous = hashed
    assert (number, previous) == (6, audit.head().hash)
    assert heads[-1].seq == 5


def test_an_export_as_csv_runs_no_formula(audit: Audit, tmp_path: Path) -> None:
    audit.append(decision(reason='=1+1, "quoted"'), PolicyContext(actor="=cmd()", route="-2+3"))
    assert export_audit(audit.entries(), tmp_path / "audit.csv", "csv") == 1
    with (tmp_path / "audit.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["actor"], row["route"], row["reason"]) == ("'=cmd()", "'-2+3", '\'=1+1, "quoted"')
    assert row["hash"] == audit.head().hash


def test_an_export_that_fails_leaves_the_file_that_was_there(audit: Audit, ledger: Ledger, tmp_path: Path) -> None:
    filled(audit, 3)
    path = tmp_path / "audit.jsonl"
    path.write_text("before")
    run(ledger, sa.update(schema.audit).where(schema.audit.c.seq == 3).values(body="x"))
    with pytest.raises(StorageError):
        export_audit(audit.entries(), path, "jsonl")
    assert path.read_text() == "before"
    assert not list(tmp_path.glob(".audit*"))
    with pytest.raises(StorageError, match="cannot write the audit"):
        export_audit(iter(()), tmp_path / "nowhere" / "audit.csv", "csv")


# ------------------------------------------------------------------------------------------------------- processes

WRITER = """
import sys
from core.policy import Action, Decision, PolicyContext
from memory.audit import Audit
from memory.ledger import Ledger
url, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
with Ledger(url) as ledger:
    audit = Audit(ledger.database)
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(count):
        said = Decision(action=Action.READ, answer="allowed", risk=0, parts={}, rule="r", reason=str(number))
        entry = audit.append(said, PolicyContext(actor=name))
        print(f"{entry.seq}:{entry.hash}", flush=True)
"""


def writer(ledger: Ledger, name: str, count: int) -> subprocess.Popen[str]:
    url = ledger.database.path or ledger.database.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", WRITER, str(url), name, str(count)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_processes_that_write_at_once_make_one_chain(ledger: Ledger, audit: Audit) -> None:
    writers = [writer(ledger, name, 40) for name in "abc"]
    for one in writers:
        assert one.stdout.readline() == "ready\n"
    for one in writers:
        one.stdin.write("go\n")
        one.stdin.flush()
    told = {line for one in writers for line in one.communicate(timeout=100)[0].split()}
    assert [one.returncode for one in writers] == [0, 0, 0]
    assert audit.verify().entries == 120
    assert audit.verify().whole
    assert {f"{e.seq}:{e.hash}" for e in audit.entries()} == told
    for name in "abc":
        assert [e.reason for e in audit.entries(actor=name)] == [str(n) for n in range(40)]


@pytest.mark.slow
def test_a_writer_that_is_killed_leaves_a_whole_chain_with_all_that_it_was_told_is_kept(
    ledger: Ledger, audit: Audit
) -> None:
    for round_ in range(4):
        one = writer(ledger, f"w{round_}", 100_000)
        assert one.stdout.readline() == "ready\n"
        one.stdin.write("go\n")
        one.stdin.flush()
        told = [one.stdout.readline().strip() for _ in range(5)]
        time.sleep(0.003 * round_)
        one.send_signal(signal.SIGKILL)
        told += [line for line in one.stdout if line.endswith("\n")]
        assert one.wait(timeout=60) == -signal.SIGKILL
        for line in told:
            seq, hashed = line.strip().split(":")
            assert audit.verify(AuditHead(int(seq), hashed)).whole, line
        kept = [e.reason for e in audit.entries(actor=f"w{round_}")]
        assert kept == [str(n) for n in range(len(kept))]
        assert len(kept) - len(told) in (0, 1)
        one.stdin.close()
        one.stdout.close()
        audit.append(decision(), PolicyContext(actor="after"))
    assert audit.verify().whole
