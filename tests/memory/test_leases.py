"""Leases: one living process at a time, known by more than its pid."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.errors import BusyError
from core.process import identify
from memory import schema
from memory.ledger import Ledger

NAME = "campaign tiny-1"
HOLDER = """
import sys
from memory.ledger import Ledger
Ledger(sys.argv[1]).leases.acquire(sys.argv[2])
print("held", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def holder(ledger: Ledger, tmp_path: Path):
    """Another process that has the lease."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "ledger.db"), NAME],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_living_process_is_refused_with_the_pid_of_the_first(ledger: Ledger, holder) -> None:
    with pytest.raises(BusyError, match=f"{NAME} is being run by process {holder.pid}"):
        ledger.leases.acquire(NAME)
    assert ledger.leases.owner(NAME) == identify(holder.pid)
    ledger.leases.acquire("campaign tiny-2")  # another campaign is free


def test_the_lease_of_a_killed_process_is_taken_over(ledger: Ledger, holder) -> None:
    holder.kill()
    holder.wait()
    assert ledger.leases.owner(NAME) is None
    lease = ledger.leases.acquire(NAME)
    assert lease.fence == 2
    assert ledger.leases.owner(NAME) == identify()


def test_a_killed_process_that_nobody_has_waited_for_does_not_hold_it(ledger: Ledger, holder) -> None:
    holder.kill()
    os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and is a zombie still
    assert holder.returncode is None
    assert ledger.leases.acquire(NAME).fence == 2


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="start times are read from /proc")
def test_another_process_with_the_same_pid_is_not_the_owner(ledger: Ledger, holder) -> None:
    with ledger.database.write() as connection:  # as if the pid had been another process's before
        connection.execute(sa.update(schema.leases).values(start_time=schema.leases.c.start_time - 1))
    assert ledger.leases.owner(NAME) is None
    assert ledger.leases.acquire(NAME).owner == identify()


def test_a_lease_of_before_the_last_boot_is_free(ledger: Ledger, holder) -> None:
    with ledger.database.write() as connection:
        connection.execute(sa.update(schema.leases).values(boot_id="another boot"))
    assert ledger.leases.acquire(NAME).owner == identify()


def test_a_released_lease_is_free_and_a_late_release_frees_nothing(ledger: Ledger) -> None:
    late = ledger.leases.acquire(NAME)
    present = ledger.leases.acquire(NAME)
    ledger.leases.release(late)
    assert ledger.leases.owner(NAME) == present.owner
    ledger.leases.release(present)
    assert ledger.leases.owner(NAME) is None


def test_a_lease_that_is_held_ends_with_its_work_however_that_ends(ledger: Ledger) -> None:
    with ledger.leases.held(NAME) as lease:
        assert ledger.leases.owner(NAME) == lease.owner
    assert ledger.leases.owner(NAME) is None
    with pytest.raises(ZeroDivisionError), ledger.leases.held(NAME):
        1 / 0  # noqa: B018
    assert ledger.leases.owner(NAME) is None
