"""`doctor`: what this machine and the state folder can do, one line each, and how to mend what is wrong."""

from __future__ import annotations

import argparse
import asyncio
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from core.errors import RatchetError
from service.escape import escaped
from service.output import Output
from service.state import open_folder, settings_of

if TYPE_CHECKING:
    from memory.ledger import Ledger
    from memory.state_folder import StateFolder

__all__ = ["Finding", "doctor"]

PYTHON = (3, 11)
SQLITE = (3, 35)  # RETURNING
PACKAGES = (
    "chromadb",
    "jinja2",
    "langgraph",
    "langgraph-checkpoint-sqlite",
    "numpy",
    "onnxruntime",
    "pydantic",
    "pyyaml",
    "rich",
    "scipy",
    "sqlalchemy",
    "tokenizers",
)
SPACE_NEEDED_MB = 50
SPACE_WANTED_MB = 1000
JOB_TIME_S = 30.0
ANSWER = 42
Status = Literal["ok", "warn", "fail"]
COLORS = {"ok": "good", "warn": "strong", "fail": "bad"}


@dataclass(frozen=True)
class Finding:
    """What was found about one thing, and how to mend it."""

    check: str
    status: Status
    found: str
    fix: str = ""


def doctor(args: argparse.Namespace, output: Output) -> int:
    """`doctor`; exit 0, or 4 when something must be mended."""
    findings: list[Finding] = []
    for finding in _examine(args):
        findings.append(finding)
        output.record({"type": "finding", **asdict(finding)})
        output.data(_line(finding, output))
    worst: Status = max((f.status for f in findings), key=("ok", "warn", "fail").index)
    output.result({"status": worst, "checks": [asdict(f) for f in findings]}, _summary(findings))
    return 4 if worst == "fail" else 0


def _examine(args: argparse.Namespace) -> Iterator[Finding]:
    yield _python()
    yield _packages()
    yield _sandbox()
    yield _sqlite()
    yield _cores()
    yield _examples()
    yield _improve()
    try:
        folder = open_folder(args)
        folder.create()
    except RatchetError as error:
        yield _failed("state folder", error)
        return
    yield _space(folder)
    yield _guarded("jobs", lambda: _jobs(folder))
    try:
        ledger = folder.open_ledger(check=True)
    except RatchetError as error:
        yield _failed("ledger", error)
        return
    with ledger:
        yield _ledger(ledger)
        yield _leases(ledger)
        yield _guarded("embeddings", lambda: _embeddings(folder))
        yield _guarded("recall", lambda: _recall(folder, ledger))
    yield from _model(args)


def _model(args: argparse.Namespace) -> Iterator[Finding]:
    """The language model that a run would take, on the path that a run takes; a campaign works without one."""
    from core.campaign import ModelPlan
    from core.models import Message
    from prompts import render
    from runtime.models.probe import probe

    asked = args.model or settings_of(args).model or "auto"
    question = Message(role="user", text=render("common/probe").user)
    try:
        found = asyncio.run(probe(asked, ModelPlan(use=asked), Path.cwd(), question))
    except RatchetError as error:
        yield _failed("model", error)
        return
    for one in found:
        bad: Status = "warn" if asked == "auto" else "fail"
        yield Finding(f"model {one.name}", "ok" if one.ok else bad, one.what, one.fix)


def _guarded(check: str, examine: Callable[[], Finding]) -> Finding:
    """The finding, or the error as one."""
    try:
        return examine()
    except RatchetError as error:
        return _failed(check, error)
    except Exception as error:  # noqa: BLE001  # a doctor reports whatever is broken
        return Finding(check, "fail", f"{type(error).__name__}: {error}", "reinstall with `make setup`")


def _failed(check: str, error: RatchetError) -> Finding:
    where = f" ({error.where})" if error.where else ""
    return Finding(check, "fail", f"{error.what}{where}", error.hint)


def _sandbox() -> Finding:
    """The sandbox for generated code, by attacking it."""
    from runtime.sandbox import describe, find_isolation

    try:
        isolation = find_isolation()
    except RatchetError as error:
        return Finding("sandbox", "warn", error.what, error.hint)
    head, *_ = describe(isolation)
    told = f"{head}; {isolation.attacks} attacks held off" if isolation.level > 1 else head
    fix = "" if isolation.level == 3 else "apt-get install bubblewrap"
    return Finding("sandbox", "ok" if isolation.level >= 2 else "warn", told, fix)


def _python() -> Finding:
    found = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info < PYTHON:
        return Finding("python", "fail", found, "install Python 3.11 or newer")
    return Finding("python", "ok", found)


def _packages() -> Finding:
    versions: dict[str, str] = {}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    missing = [name for name in PACKAGES if name not in versions]
    if missing:
        return Finding("packages", "fail", f"missing: {', '.join(missing)}", f"pip install {' '.join(missing)}")
    shown = ", ".join(f"{name} {versions[name]}" for name in ("langgraph", "chromadb", "sqlalchemy", "numpy"))
    return Finding("packages", "ok", f"all {len(versions)} there; {shown}")


def _sqlite() -> Finding:
    if sqlite3.sqlite_version_info < SQLITE:
        wanted = ".".join(map(str, SQLITE))
        return Finding("sqlite", "fail", sqlite3.sqlite_version, f"use a Python with SQLite {wanted} or newer")
    return Finding("sqlite", "ok", sqlite3.sqlite_version)


def _cores() -> Finding:
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if count < 2:
        return Finding("cores", "warn", "1", "set limits.parallel to 1 in your campaigns")
    return Finding("cores", "ok", str(count))


def _examples() -> Finding:
    """The libraries of the campaigns that come along; campaigns of one's own need neither."""
    wanted = {"sklearn": "scikit-learn", "torch": "torch"}
    missing = [name for module, name in wanted.items() if importlib.util.find_spec(module) is None]
    if missing:
        return Finding("examples", "warn", f"missing: {', '.join(missing)}", f"pip install {' '.join(missing)}")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in wanted.values())
    return Finding("examples", "ok", f"{versions} for the campaigns that come along")


def _improve() -> Finding:
    """The tools that check a change of a live service; nothing else needs them."""
    from runtime.checks.tools import HINT, TOOLS, missing_tools

    if missing := missing_tools():
        return Finding("improve", "warn", f"missing: {', '.join(missing)}; changes of live services need them", HINT)
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in TOOLS)
    return Finding("improve", "ok", f"{versions} to check changes of live services")


def _space(folder: StateFolder) -> Finding:
    """Whether files can be written there, and how much fits."""
    check = "state folder"
    try:
        with tempfile.TemporaryFile(dir=folder.home) as file:
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
        free_mb = shutil.disk_usage(folder.home).free / 1e6
    except OSError as error:
        fix = "check its rights and the disk, or choose another --home"
        return Finding(check, "fail", f"{folder.home} cannot be written: {error.strerror}", fix)
    found = f"{folder.home}, {free_mb:,.0f} MB free"
    if free_mb < SPACE_WANTED_MB:
        return Finding(check, "fail" if free_mb < SPACE_NEEDED_MB else "warn", found, "free some space")
    return Finding(check, "ok", found)


def _jobs(folder: StateFolder) -> Finding:
    """Start a tiny job, and say what was enforced on it."""
    from core.campaign import Limits
    from runtime.jobs import JobQueue, JobSpec

    with tempfile.TemporaryDirectory(prefix="doctor-", dir=folder.home) as name:
        spec = JobSpec(
            id="doctor",
            directory=Path(name) / "job",
            command=(sys.executable, "-c", f"print('{{\"answer\": {ANSWER}}}')"),
            metrics_required=("answer",),
            limits=Limits(time_s=JOB_TIME_S, memory_mb=512),
        )
        result = asyncio.run(JobQueue(1).run(spec))
    if result.status != "ok" or result.metrics.get("answer") != ANSWER:
        return Finding("jobs", "fail", f"a tiny job {result.status}: {result.reason}", "see the cause; jobs need /proc")
    enforced = [f"{what}: {how}" for what, how in result.isolation.items() if how not in ("none", "none left")]
    open_ = [what for what, how in result.isolation.items() if how == "none"]
    left = f"; not enforced: {', '.join(open_)}" if open_ else ""
    return Finding("jobs", "ok", f"{result.duration_s:.1f} s for a tiny one; enforced {', '.join(enforced)}{left}")


def _ledger(ledger: Ledger) -> Finding:
    campaigns = len(ledger.campaigns())
    return Finding("ledger", "ok", f"whole, {campaigns} campaign{'' if campaigns == 1 else 's'}")


def _leases(ledger: Ledger) -> Finding:
    """Who works on a campaign at this moment."""
    owners = {c.id: owner for c in ledger.campaigns() if (owner := ledger.leases.owner(f"campaign {c.id}"))}
    held = ", ".join(f"{name} by process {owner.pid}" for name, owner in owners.items())
    return Finding("running", "ok", held or "no campaign")


def _embeddings(folder: StateFolder) -> Finding:
    """The model is there, is the right one (its weights are hashed), and embeds a sentence."""
    from memory.embeddings import embedder

    model = embedder(folder.embedding_model)
    began = time.perf_counter()
    vector = model.embed(["one sentence to try the model with"])[0]
    took_s = time.perf_counter() - began
    backend = getattr(model, "backend", "")
    notes = "; ".join(getattr(model, "notes", ()))
    found = f"{model.model_id}, {len(vector)} dimensions{f', {backend}' if backend else ''}, ready in {took_s:.1f} s"
    if notes:
        return Finding("embeddings", "warn", f"{found}; {notes}", "`python -m memory.embeddings` prepares the model")
    return Finding("embeddings", "ok", found)


def _recall(folder: StateFolder, ledger: Ledger) -> Finding:
    """The index holds what the ledger holds; a damaged one has been set aside on opening."""
    with folder.open_recall(ledger) as recall:
        wrong, notes = recall.verify(), "; ".join(recall.notes)
        owner = recall.owner
    if wrong:  # no failure: what the ledger does not have is never an answer, and the index can be made again
        return Finding("recall", "warn", "; ".join(wrong), "`python run_graph.py memory rebuild`")
    found = "the index holds what the ledger holds" if owner else "in use by another process, its file is whole"
    return Finding("recall", "warn" if notes else "ok", f"{found}; {notes}" if notes else found)


def _line(finding: Finding, output: Output) -> str:
    status = output.paint(f"{finding.status:<5}", COLORS[finding.status])
    fix = f"\n{'':<19}try: {finding.fix}" if finding.fix else ""
    return f"{status} {finding.check:<12} {escaped(finding.found)}{escaped(fix)}"


def _summary(findings: list[Finding]) -> str:
    failed = sum(f.status == "fail" for f in findings)
    warned = sum(f.status == "warn" for f in findings)
    if failed:
        return f"{failed} of {len(findings)} checks failed"
    return f"all is well{f', {warned} to look at' if warned else ''}"
