"""All checks of a draft, each with its time; every fault is listed, and any of them fails the draft."""

from __future__ import annotations

import difflib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from core.drafts import CheckFault, CheckName, CheckResult, CheckSettings, ImprovementDraft, Validation
from core.errors import ConfigError, UnavailableError
from runtime.checks import bandit, mypy
from runtime.checks.complexity import changed_complexities
from runtime.checks.covered_tests import CoveredRun, run_covered
from runtime.checks.files import file_faults, syntax_faults
from runtime.checks.imports import import_faults
from runtime.checks.interface import interface_faults
from runtime.checks.tools import HINT, ToolSilentError, missing_tools
from runtime.checks.trees import laid_out
from runtime.sandbox import Isolation, find_isolation

__all__ = ["validate"]


def validate(
    draft: ImprovementDraft,
    service_root: Path,
    tests: Sequence[str],
    allowed: Callable[[str], bool],
    settings: CheckSettings | None = None,
    *,
    isolation: Isolation | None = None,
    trusted: bool = False,
) -> Validation:
    """Check the draft against the service at `service_root`, which stays untouched.

    `tests` is the command of the service's tests, with `{python}` for this interpreter; only there does code of the
    draft run, in the sandbox.  `trusted`: a person says that it may run where nothing isolates it.  Types, security,
    and tests run side by side.

    Raises ConfigError for a service that cannot be read or has no tests, UnavailableError where a tool is missing,
    SandboxError where there is no isolation: none of these is the draft's fault.
    """
    if missing := missing_tools():
        raise UnavailableError(f"the checks need {', '.join(missing)}", where="runtime.checks", hint=HINT)
    if not service_root.is_dir() or not tests:
        raise ConfigError("a service has a folder, and a command for its tests", where=str(service_root))
    began = time.perf_counter()
    settings = settings or CheckSettings()
    isolation = isolation or find_isolation()
    checks = _Checks(draft.files, service_root, allowed, settings)
    checks.read()
    with laid_out(service_root, checks.writable) as tree, ThreadPoolExecutor(3) as pool:
        if checks.unusable:
            covered = None
        else:
            covered = pool.submit(run_covered, tree, tests, settings, isolation, trusted=trusted)
        parts = [pool.submit(part, tree) for part in (checks.types, checks.security, checks.imports)]
        checks.complexity()
        for part in parts:
            part.result()
        checks.tests(covered.result() if covered else None)
    return Validation(
        draft_id=draft.id,
        checks=tuple(checks.results.values()),
        seconds=time.perf_counter() - began,
        isolation=f"level {isolation.level}",
    )


class _Checks:
    """The results so far, in the order in which they are told."""

    def __init__(
        self, files: Mapping[str, str], root: Path, allowed: Callable[[str], bool], settings: CheckSettings
    ) -> None:
        self.files, self.root, self.allowed, self.settings = files, root, allowed, settings
        names: tuple[CheckName, ...] = (
            "files", "syntax", "interface", "imports", "types", "security", "complexity", "tests", "coverage",
        )  # fmt: skip
        self.results = {name: CheckResult(name=name, status="skipped", reason="not begun") for name in names}
        self.writable: dict[str, str] = {}
        self.readable: dict[str, str] = {}
        self.before: dict[str, str] = {}
        self.parsed_before: dict[str, str] = {}

    @property
    def unusable(self) -> bool:
        return self.readable.keys() != self.files.keys()

    def tell(
        self,
        name: CheckName,
        began: float,
        faults: Iterable[CheckFault],
        known: Iterable[CheckFault] = (),
        figures: Mapping[str, float] | None = None,
    ) -> None:
        told = tuple(faults)
        self.results[name] = CheckResult(
            name=name,
            status="failed" if told else "passed",
            faults=told,
            known=tuple(known),
            figures=dict(figures or {}),
            seconds=time.perf_counter() - began,
        )

    def read(self) -> None:
        """What may be written, what parses, and whether others can go on using it."""
        began = time.perf_counter()
        faults = file_faults(self.files, self.root, self.allowed, self.settings.not_measured)
        bad = {fault.path for fault in faults}
        self.writable = {path: text for path, text in self.files.items() if path[:300] not in bad}
        self.before = {path: _read(self.root / path) for path in self.writable}
        self.tell("files", began, faults, figures=_sizes(self.before, self.writable))
        began = time.perf_counter()
        broken = syntax_faults({path: text for path, text in self.files.items() if path.endswith(".py")})
        wrong = {fault.path for fault in broken}
        self.readable = {path: text for path, text in self.writable.items() if path not in wrong}
        self.tell("syntax", began, broken)
        began = time.perf_counter()
        self.parsed_before = {path: text for path, text in self.before.items() if not syntax_faults({path: text})}
        self.tell("interface", began, interface_faults(self.parsed_before, self.readable))

    def imports(self, tree: Path) -> None:
        began = time.perf_counter()
        found = import_faults(self.readable, tree)
        known: list[CheckFault] = []
        if found:
            found, known = _new(found, import_faults(self.parsed_before, self.root))
        self.tell("imports", began, found, known)

    def types(self, tree: Path) -> None:
        looked = Counter({path: mypy.ignored(text) for path, text in self.readable.items()})
        before = Counter({path: mypy.ignored(text) for path, text in self.before.items()})
        hidden = [
            CheckFault(check="types", path=path, text=f"comments that keep mypy from looking, new: {count}")
            for path, count in (looked - before).items()
        ]

        def look(place: Path, paths: Sequence[str]) -> list[CheckFault]:
            return mypy.type_faults(place, paths, cache=self.settings.cache, timeout_s=self.settings.tool_time_s)

        self._compared("types", tree, look, hidden)

    def security(self, tree: Path) -> None:
        def look(place: Path, paths: Sequence[str]) -> list[CheckFault]:
            return bandit.security_faults(place, paths, timeout_s=self.settings.tool_time_s)

        self._compared("security", tree, look)

    def _compared(
        self,
        name: CheckName,
        tree: Path,
        look: Callable[[Path, Sequence[str]], list[CheckFault]],
        more: Sequence[CheckFault] = (),
    ) -> None:
        """What is found now and was not before; the version before is looked at only where something is found."""
        began = time.perf_counter()
        if not self.readable:
            self.results[name] = CheckResult(name=name, status="skipped", reason="no file can be read")
            return
        known: list[CheckFault] = []
        try:
            found = look(tree, list(self.readable))
            old = [path for path in self.readable if self.before.get(path)]
            if found and old:
                found, known = _new(found, look(self.root, old))
        except ToolSilentError as error:
            found = [CheckFault(check=name, text=error.what)]
        self.tell(name, began, [*more, *found], known)

    def complexity(self) -> None:
        began = time.perf_counter()
        found = changed_complexities(self.parsed_before, self.readable, self.settings.most_complexity)
        figures = {"hardest_function": float(found.hardest), "complexity_growth": float(found.grown)}
        self.tell("complexity", began, found.faults, found.known, figures)

    def tests(self, ran: CoveredRun | None) -> None:
        if ran is None:
            for name in ("tests", "coverage"):
                reason = "the files cannot be written, or do not parse"
                self.results[name] = CheckResult(name=name, status="skipped", reason=reason)
            return
        faults = [fault for fault in ran.faults if fault.check == "tests"]
        figures = {"tests_passed": float(ran.passed), "tests_failed": float(ran.failed)}
        self.tell("tests", time.perf_counter() - ran.seconds, faults, figures=figures)
        if ran.coverage is None and any(fault.check == "coverage" for fault in ran.faults):
            reason = "the tests were not run"
            self.results["tests"] = CheckResult(name="tests", status="skipped", reason=reason)
        self.tell("coverage", time.perf_counter(), self._coverage_faults(ran), figures=self._coverage(ran))

    def _coverage_faults(self, ran: CoveredRun) -> list[CheckFault]:
        found = [fault for fault in ran.faults if fault.check == "coverage"]
        wanted = self.settings.coverage_percent
        if ran.coverage is None:
            return found or [CheckFault(check="coverage", text="coverage.py gave no report")]
        if ran.percent <= wanted:
            text = f"the tests run {ran.percent:.1f} % of the service, and must run more than {wanted:g} %"
            found.append(CheckFault(check="coverage", text=text))
        for path in self.readable:
            percent = ran.coverage[path].percent if path in ran.coverage else 0.0
            if percent <= wanted:
                text = f"the tests run {percent:.1f} % of this file, and must run more than {wanted:g} %"
                found.append(CheckFault(check="coverage", path=path, text=text))
        return found

    def _coverage(self, ran: CoveredRun) -> dict[str, float]:
        """Of the service, each changed file, and the changed statements."""
        if ran.coverage is None:
            return {}
        figures = {"coverage_percent": ran.percent}
        statements = done = 0
        for path, text in self.readable.items():
            told = ran.coverage.get(path)
            if told is None:
                continue
            figures[f"coverage_percent {path}"] = told.percent
            changed = _changed_lines(self.before[path], text)
            statements += len(changed & (told.run | told.missed))
            done += len(changed & told.run)
        return {**figures, "changed_statements": float(statements), "changed_statements_run": float(done)}


def _read(place: Path) -> str:
    try:
        return place.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _changed_lines(before: str, after: str) -> set[int]:
    """The lines of `after`, from 1, that are new or changed."""
    matcher = difflib.SequenceMatcher(None, before.splitlines(), after.splitlines(), autojunk=False)
    return {
        line + 1 for tag, _, _, low, high in matcher.get_opcodes() if tag != "equal" for line in range(low, high)
    }  # fmt: skip


def _sizes(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, float]:
    changed = sum(len(_changed_lines(before[path], text)) for path, text in after.items())
    removed = sum(len(_changed_lines(text, before[path])) for path, text in after.items())
    lines = sum(len(text.splitlines()) for text in (*before.values(), *after.values()))
    return {"changed_lines": float(changed + removed), "lines_before_and_after": float(lines)}


def _new(found: Sequence[CheckFault], old: Sequence[CheckFault]) -> tuple[list[CheckFault], list[CheckFault]]:
    """Those that were not there before, and those that were, each as often as it was; lines do not count."""
    left = Counter((fault.path, fault.text) for fault in old)
    new, known = list[CheckFault](), list[CheckFault]()
    for fault in found:
        key = (fault.path, fault.text)
        (known if left[key] > 0 else new).append(fault)
        left[key] -= 1
    return new, known
