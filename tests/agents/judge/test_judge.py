"""The judge with candidates of every kind: better, equal, wrong, and dishonest ones.  Everything really runs."""

from __future__ import annotations

import hashlib
import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from agents.judge import Judgement, Plan, judge
from core.campaign import CodePlan
from core.process import identify
from runtime.sandbox import find_isolation
from runtime.workspaces import Base, lay_out, take_base
from tests.slow_packages import STOCK, write_package

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_isolation().level < 2, reason="no isolation here: " + "; ".join(find_isolation().missing)),
]

FASTER = STOCK.replace("    seen = []\n", "    seen = set()\n").replace("seen.append(name)", "seen.add(name)")
CODE = CodePlan(
    files=("shop/**/*.py",),
    tests=("{python}", "-m", "pytest", "-q", "tests"),
    benchmark=("{python}", "benchmark/bench.py"),
    judge=("tests", "benchmark"),
    pairs=8,
    run_time_s=30,
)


@pytest.fixture
def base(tmp_path: Path) -> Base:
    return take_base(write_package(tmp_path / "repository"), tmp_path / "base")


def plan_of(base: Base, tmp_path: Path, files: dict[str, str | None], **changes: Any) -> Plan:
    told: dict[str, Any] = {
        "code": CODE,
        "base": base.tree,
        "candidate": lay_out(base, files, tmp_path / "candidate"),
        "changed": tuple(files),
        "judged": {p: h for p, h in base.hashes.items() if p.startswith(("tests/", "benchmark/"))},
        "noise": 0.03,
        "environment": {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        "tests": ("tests.test_stock::test_words",),
    }
    return Plan(**{**told, **changes})


def judged(base: Base, tmp_path: Path, stock: str, **changes: Any) -> Judgement:
    return judge(plan_of(base, tmp_path, {"shop/stock.py": stock}, **changes))


def test_a_faster_candidate_is_better_by_an_interval(base: Base, tmp_path: Path) -> None:
    told = judged(base, tmp_path, FASTER)
    assert (told.cause, told.answer) == ("", "better"), told.reason
    assert told.metrics["speedup"] > 1.5
    assert 1 < told.metrics["speedup_low"] <= told.metrics["speedup"]
    assert told.tests.counted
    assert told.tests.planted
    assert len(told.tests.passed) == 5
    assert told.isolation_level >= 2
    assert 0 < len(told.pairs) <= 8
    assert told.profile["shop/stock.py:unique"] > 0


def test_the_base_against_itself_tells_the_noise(base: Base, tmp_path: Path) -> None:
    told = judge(plan_of(base, tmp_path, {}, noise=None, tests=None))
    assert told.cause == ""
    assert told.answer != "worse"
    assert told.noise is not None
    assert 0.7 < told.metrics["speedup"] < 1.4
    assert "shop/stock.py:unique" in told.profile


CHEATS = {
    "passes every test": (
        "import _pytest.runner as r\nreal = r.pytest_runtest_makereport\n"
        "import _pytest.reports as p\n"
        "old = p.TestReport.from_item_and_call\n"
        "def good(item, call):\n    call.excinfo = None\n    return old(item, call)\n"
        "p.TestReport.from_item_and_call = staticmethod(good)\n"
        "_LIE = True\n" + FASTER.replace("return result", "return result[:3]"),
        {"tampered"},
    ),
    "writes the results itself": (
        "import os, pathlib\n"
        "out = pathlib.Path(os.environ.get('HOME', '.')) / 'results.xml'\n"
        "if 'pytest' in str(__import__('sys').argv):\n"
        '    out.write_text(\'<testsuite><testcase classname="tests.test_stock" name="test_words"/></testsuite>\')\n'
        "    os._exit(0)\n" + FASTER,
        {"tampered"},
    ),
    "exits with code 0": ("import os\nos._exit(0)\n" + STOCK, {"tests"}),
    "calls sys.exit": ("import sys\nsys.exit(0)\n" + STOCK, {"tests"}),
    "takes the time away": (
        "import time\nreal = time.process_time\ntime.process_time = lambda: real() / 100\n"
        "import sys\nfor name, module in list(sys.modules.items()):\n"
        "    if getattr(module, 'process_time', None) is real:\n"
        "        module.process_time = time.process_time\n" + STOCK,
        {"untimed"},
    ),
    "works before the clock starts": (
        STOCK
        + "\n_known = {}\n_slow = unique\n\n\ndef unique(names):\n    key = tuple(names)\n"
        + "    return _known[key] if key in _known else _slow(names)\n"
        + "\n\nimport random, sys\nif '--seed' in sys.argv:\n"
        + "    rng = random.Random(int(sys.argv[sys.argv.index('--seed') + 1]))\n"
        + "    for _ in range(3):\n        names = [f'name {rng.randrange(900)}' for _ in range(6000)]\n"
        + "        _known[tuple(names)] = _slow(names)\n",
        {"untimed", ""},
    ),
    "prints a result of its own": (
        STOCK.replace(
            '    """All words in lower case."""\n',
            '    """All words in lower case."""\n'
            '    if len(lines) > 1000:\n        print(\'{"seconds": 0.00001, "check": ""}\', flush=True)\n'
            "        import os\n        os._exit(0)\n",
        ),
        {"wrong_result"},
    ),
    "answers wrongly where nobody tests": (
        STOCK.replace("    return found\n", "    return found[:1500]\n"),
        {"wrong_result"},
    ),
    "edits the tests": (
        "import pathlib\nfor f in pathlib.Path('tests').glob('*.py'):\n    f.write_text('def test_words(): pass')\n"
        + STOCK,
        {"tests"},
    ),
    "hangs": ("while True:\n    pass\n" + STOCK, {"tests"}),
    "uses a name that is not there": (STOCK.replace("    return found\n", "    return fuond\n"), {"lint"}),
    "does not parse": ("def broken(:\n", {"syntax"}),
}


@pytest.mark.parametrize("cheat", CHEATS)
def test_a_dishonest_or_broken_candidate_is_refused_by_name(base: Base, tmp_path: Path, cheat: str) -> None:
    text, causes = CHEATS[cheat]
    before = {path: (base.tree / path).read_bytes() for path in base.hashes}
    code = CODE.model_copy(update={"run_time_s": 5.0 if cheat == "hangs" else 30.0})
    told = judged(base, tmp_path, text, code=code)
    assert told.cause in causes, (told.cause, told.reason)
    assert told.reason
    if not told.cause:  # what it did beforehand was no gain, and no loss that matters
        assert told.answer != "better"
    assert before == {path: (base.tree / path).read_bytes() for path in base.hashes}
    assert base.damaged() == []


@pytest.mark.parametrize(
    "evil",
    [
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(60)\n"
        "        os._exit(0)\n",
        "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        break\n",
        "data = []\nwhile True:\n    data.append(bytearray(50_000_000))\n",
        "import sys\nwhile True:\n    sys.stdout.write('x' * 1_000_000)\n",
        "import os, signal\nfor pid in (os.getppid(), 1):\n    try:\n        os.kill(pid, signal.SIGKILL)\n"
        "    except OSError:\n        pass\n",
    ],
    ids=["daemon", "fork bomb", "memory", "flood", "kills its parent"],
)
def test_what_attacks_costs_only_itself(base: Base, tmp_path: Path, evil: str) -> None:
    code = CODE.model_copy(update={"run_time_s": 8.0, "memory_mb": 300.0})
    me = identify()
    mark = f"CASE={uuid.uuid4().hex}"
    environment = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "CASE": mark.removeprefix("CASE=")}
    judged(base, tmp_path, evil + FASTER, code=code, environment=environment)
    assert me.alive()
    ended = time.monotonic()
    while time.monotonic() - ended < 1.0 and _alive(mark):
        time.sleep(0.02)
    assert _alive(mark) == []


def _alive(mark: str) -> list[str]:
    """Processes with this test's mark in their environment."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (entry / "environ").read_bytes().split(b"\0"):
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
        except OSError:
            continue
    return found


def test_a_faster_candidate_that_lies_is_believed_no_further_than_the_clock_outside(base: Base, tmp_path: Path) -> None:
    lie = CHEATS["takes the time away"][0].replace("/ 100", "* 1e-9").replace(STOCK, FASTER)
    told = judged(base, tmp_path, lie)
    honest = judged(base, tmp_path, FASTER)
    assert told.cause in ("", "untimed")
    if not told.cause:
        assert told.metrics["speedup"] < 5 * honest.metrics["speedup"]


def test_a_lie_about_the_time_is_refused_however_few_the_pairs(base: Base, tmp_path: Path) -> None:
    lie = CHEATS["takes the time away"][0]
    told = judged(base, tmp_path, lie, code=CODE.model_copy(update={"pairs": 2}))
    assert (told.cause, told.metrics) == ("untimed", {})


def test_a_judge_whose_files_were_changed_judges_nothing(base: Base, tmp_path: Path) -> None:
    plan = plan_of(base, tmp_path, {"shop/stock.py": FASTER})
    (base.tree / "tests/test_stock.py").unlink()
    (base.tree / "tests/test_stock.py").write_text("def test_words(): pass\n")
    assert judge(plan).cause == "damaged"


def test_a_test_that_the_base_passes_must_run(base: Base, tmp_path: Path) -> None:
    told = judged(base, tmp_path, FASTER, tests=("tests.test_stock::test_words", "tests.test_stock::test_more"))
    assert told.cause == "tests"
    assert "test_more" in told.reason


def test_without_pytest_the_exit_code_counts_and_it_is_said(base: Base, tmp_path: Path) -> None:
    check = ("{python}", "-c", "from shop.stock import unique; assert unique([1, 1]) == [1]")
    code = CODE.model_copy(update={"tests": check})
    told = judged(base, tmp_path, FASTER, code=code, tests=None)
    assert told.cause == ""
    assert not told.tests.counted
    wrong = judged(base, tmp_path, FASTER.replace("return result", "return []"), code=code, tests=None)
    assert wrong.cause == "tests"


def test_hashes_are_those_of_the_files(base: Base) -> None:
    for path, told in base.hashes.items():
        assert hashlib.sha256((base.tree / path).read_bytes()).hexdigest() == told
