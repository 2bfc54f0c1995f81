"""Drafts validated for real: mypy, bandit, and the tests of a small service in the sandbox with coverage."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.drafts import CheckSettings, ImprovementDraft, Validation
from core.errors import ConfigError, SandboxError
from runtime.checks.covered_tests import run_covered, under_coverage
from runtime.checks.trees import laid_out
from runtime.checks.validating import validate
from runtime.sandbox import find_isolation
from search.draft_score import draft_quality, draft_risk

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("draft_validation"),
    pytest.mark.skipif(find_isolation().level < 2, reason="no isolation here: " + "; ".join(find_isolation().missing)),
]

PRICES = '''"""Prices."""

import hashlib


def digest(text: str) -> str:
    for _ in range(100):
        text = hashlib.sha256(text.encode()).hexdigest()
    return text


def total(names: list[str]) -> int:
    return sum(len(digest(name)) for name in names)


def legacy(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()
'''
TESTS = """from shop.prices import digest, legacy, total


def test_digest():
    assert digest("a") != digest("b")
    assert len(legacy("a")) == 32


def test_total():
    assert total(["a", "b", "a"]) == 192
"""
COMMAND = ("{python}", "-m", "pytest", "-q", "tests")
SETTINGS = CheckSettings(environment={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
CACHED = PRICES.replace("import hashlib", "import functools\nimport hashlib").replace(
    "def digest", "@functools.lru_cache(maxsize=64)\ndef digest"
)
WRONG = (
    PRICES.replace("import hashlib", "import hashlib\nimport subprocess\n\nimport no_such_package")
    .replace("def legacy", "def heritage")
    .replace("for name in names)", "for name in names)  # type: ignore")
    + """

def run(number: int) -> str:
    subprocess.call("ls " + str(number), shell=True)  # nosec
"""
    + "".join(f"    if number == {n}:\n        return {n}\n" for n in range(9))
    + "    return number\n"
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("service")
    (root / "shop").mkdir()
    (root / "tests").mkdir()
    (root / "shop" / "__init__.py").write_text("")
    (root / "shop" / "prices.py").write_text(PRICES)
    (root / "shop" / "other.py").write_text("")
    (root / "tests" / "test_prices.py").write_text(TESTS)
    return root


def draft(text: str, path: str = "shop/prices.py") -> ImprovementDraft:
    return ImprovementDraft.make("o-1", {path: text}, "rules", "a test")


def allowed(path: str) -> bool:
    return path.startswith("shop/")


def test_a_good_draft_passes_every_check_with_measured_numbers(service: Path) -> None:
    before = {path: path.read_bytes() for path in service.rglob("*.py")}
    made = draft(CACHED)
    found = validate(made, service, COMMAND, allowed, SETTINGS)
    assert found.errors == ()
    assert found.ok
    assert [check.name for check in found.checks] == [
        "files", "syntax", "interface", "imports", "types", "security", "complexity", "tests", "coverage",
    ]  # fmt: skip
    assert found.isolation in ("level 2", "level 3")
    assert found.figure("tests_passed") == 2
    assert found.figure("coverage_percent") == found.figure("coverage_percent shop/prices.py") == 100.0
    assert found.figure("changed_statements") == found.figure("changed_statements_run") == 2
    security = found.check("security")
    assert security is not None
    assert ["B324" in fault.text for fault in security.known] == [True], "it was there before, and is told"
    assert draft_quality(found) > 0.85
    assert draft_risk(made, found) < 0.1
    assert {path: path.read_bytes() for path in service.rglob("*.py")} == before
    assert Validation.model_validate_json(found.model_dump_json()) == found


def test_every_fault_of_a_bad_draft_is_listed(service: Path) -> None:
    made = draft(WRONG)
    found = validate(made, service, COMMAND, allowed, SETTINGS)
    assert not found.ok
    failed = {check.name for check in found.checks if check.status == "failed"}
    assert failed == {"interface", "imports", "types", "security", "complexity", "tests", "coverage"}
    told = "\n".join(found.errors)
    for part in (
        "legacy is gone", "no module 'no_such_package'", "from looking, new: 1", "Incompatible return value",
        "B602 high", "run has complexity 10", "tests.test_prices failed", "must run more than 80 %",
    ):  # fmt: skip
        assert part in told, part
    assert (draft_quality(found), draft_risk(made, found)) == (0.0, 1.0)


def test_what_cannot_be_written_or_parsed_is_not_run(service: Path) -> None:
    made = ImprovementDraft.make("o-1", {"../x.py": "x = 1\n", "shop/other.py": "def f(:\n"}, "model", "a test")
    found = validate(made, service, COMMAND, allowed, SETTINGS)
    assert {check.name: check.status for check in found.checks if check.status != "passed"} == {
        "files": "failed", "syntax": "failed", "types": "skipped", "security": "skipped", "tests": "skipped",
        "coverage": "skipped",
    }  # fmt: skip
    assert sum("leads out of the service" in error for error in found.errors) == 1
    assert not (service.parent / "x.py").exists()


def test_a_draft_that_ends_its_own_tests_does_not_pass(service: Path) -> None:
    isolation = find_isolation()
    with laid_out(service, {"shop/prices.py": PRICES + "\nimport os\nos._exit(0)\n"}) as tree:
        ran = run_covered(tree, COMMAND, SETTINGS, isolation)
    assert [fault.check for fault in ran.faults]
    assert (ran.passed, ran.coverage) == (0, None)
    forge = """import pytest

@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    report.outcome, report.longrepr = "passed", None
"""
    with laid_out(service, {"conftest.py": forge}) as tree:
        ran = run_covered(tree, COMMAND, SETTINGS, isolation)
    assert "forged" in str(ran.faults[0])


def test_tests_that_are_not_pytests_count_by_their_exit_code(service: Path) -> None:
    own = """import unittest
from shop.prices import total

class T(unittest.TestCase):
    def test(self):
        self.assertEqual(total(["a"]), 64)
"""
    with laid_out(service, {"tests/test_own.py": own, "tests/__init__.py": ""}) as tree:
        ran = run_covered(tree, ("{python}", "-m", "unittest", "tests.test_own"), SETTINGS, find_isolation())
    assert ran.faults == ()
    assert ran.coverage is not None
    assert 50 < ran.coverage["shop/prices.py"].percent < 100
    assert ran.coverage["shop/prices.py"].missed == {17}


def test_only_pythons_own_command_is_measured() -> None:
    assert under_coverage(["pytest", "-q"]) == [
        "{python}", "-m", "coverage", "run", "--rcfile", "$HOME/coverage.ini", "-m", "pytest", "-q",
    ]  # fmt: skip
    assert under_coverage(["{python}", "run_tests.py", "x"]) is not None
    assert under_coverage(["make", "test"]) is None
    assert under_coverage(["{python}", "-c", "pass"]) is None


def test_what_is_not_the_drafts_fault_is_raised(service: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a service has a folder"):
        validate(draft(CACHED), tmp_path / "nothing", COMMAND, allowed)
    with pytest.raises(ConfigError, match="a command for its tests"):
        validate(draft(CACHED), service, (), allowed)
    unsafe = find_isolation().model_copy(update={"level": 1})
    with pytest.raises(SandboxError, match="no isolation here"):
        validate(draft(CACHED), service, COMMAND, allowed, SETTINGS, isolation=unsafe)


def test_coverage_is_of_all_files_or_of_the_part_that_is_named(tmp_path: Path) -> None:
    files = {"shop/prices.py": PRICES, "shop/start.py": "PORT = 1\n" * 40, "tests/test_prices.py": TESTS}
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    named = SETTINGS.model_copy(update={"measured": ("shop/prices.py",)})
    ran = run_covered(tmp_path, COMMAND, named, find_isolation())
    assert ran.percent == 100
    assert replace(ran, measured=()).percent == replace(ran, measured=("shop",)).percent < 30
    assert replace(ran, measured=("shop/*.py",)).percent < 30
    assert replace(ran, measured=("nowhere",)).percent == 0
