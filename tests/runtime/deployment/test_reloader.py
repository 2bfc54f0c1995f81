"""The reloader in one process: what a release sees of itself, who gets which version, what is refused."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from runtime.deployment import Canary, Releases, Reloader, ReloadError, Routes
from runtime.deployment.routes import write_routes
from tests.runtime.deployment.running_service import release, write_code


class Code:
    """Releases in a folder, and a reloader that looks when it is told to."""

    def __init__(self, place: Path) -> None:
        self.releases = Releases(place / "live")
        self.folder = place / "live"
        self.first = self.releases.adopt(write_code(place / "code"))

    def put(self, changes: dict[str, str]) -> str:
        digest = self.releases.store(self.releases.current(), changes)
        self.releases.switch(digest)
        return digest

    def reloader(self, **fields: Any) -> Reloader:
        return Reloader(self.folder, "first", **fields).start(poll_s=0, control=False)


@pytest.fixture
def code(tmp_path: Path) -> Code:
    return Code(tmp_path)


def number(live: Reloader, **who: Any) -> object:
    with live.version(**who) as module:
        assert module.second() == module.NUMBER
        return module.NUMBER


def test_a_request_in_flight_finishes_on_the_old_code_and_a_new_one_gets_the_new(code: Code) -> None:
    live = code.reloader()
    with live.version() as old:
        digest = code.put(release(2))
        assert live.reload()["stable"] == digest
        assert number(live) == 2
        assert old.second() == 1  # which imports its own release, though another is live
        assert set(live.status()["versions"]) == {code.first, digest}
    live.reload()
    assert set(live.status()["versions"]) == {digest}


def test_nothing_of_a_version_that_is_gone_stays_among_the_modules(code: Code) -> None:
    live = code.reloader()
    for count in (2, 3, 4):
        code.put(release(count))
        live.reload()
    assert number(live) == 4
    assert {name.split(".")[0] for name in sys.modules if name.startswith("_live_")} >= {
        module.split(".")[0] for module in [_module_of(live)]
    }
    mine = [name for name in sys.modules if name.endswith(".inner.numbers") and name.startswith("_live_")]
    assert _module_of(live).split(".")[0] + ".inner.numbers" in mine
    assert "first" not in sys.modules
    assert "inner" not in sys.modules


def _module_of(live: Reloader) -> str:
    with live.version() as module:
        return str(module.__name__)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import no_such_module\n", "no_such_module"),
        ("def f(:\n", "SyntaxError"),
        ("raise SystemExit(3)\n", "SystemExit"),
        ("def healthy():\n    return False\n", "healthy"),
        ("import time\ntime.sleep(60)\n", "within"),
    ],
)
def test_what_does_not_load_serves_nobody_and_says_why(code: Code, text: str, why: str) -> None:
    live = code.reloader(load_timeout_s=0.5)
    digest = code.put({"first.py": text})
    status = live.reload()
    assert status["stable"] == code.first
    assert why in status["refused"][digest]
    assert number(live) == 1
    code.releases.switch(code.first)
    assert live.reload()["refused"] == {}


def test_a_file_that_is_not_what_was_released_is_not_run(code: Code) -> None:
    live = code.reloader()
    digest = code.put(release(2))
    (code.releases.tree(digest) / "inner/numbers.py").write_text("NUMBER = 666\n")
    assert "not what was released" in live.reload()["refused"][digest]
    assert number(live) == 1


def test_compiled_files_that_somebody_left_are_not_run(code: Code) -> None:
    import importlib.util
    import py_compile

    tree = code.releases.tree(code.first)
    planted = tree.parent / "planted.py"
    planted.write_text("NUMBER = 666\n")
    py_compile.compile(
        str(planted),
        cfile=importlib.util.cache_from_source(str(tree / "inner/numbers.py")),
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    assert number(code.reloader()) == 1


def test_a_first_release_that_does_not_load_is_an_error(code: Code) -> None:
    code.put({"first.py": "1 / 0\n"})
    with pytest.raises(ReloadError, match="ZeroDivisionError"):
        code.reloader()


def test_a_canary_gets_its_share_and_a_key_always_the_same_version(code: Code) -> None:
    live = code.reloader()
    digest = code.releases.store(code.first, release(2))
    write_routes(code.folder, Routes(canary=Canary(digest=digest, share=0.1)))
    assert live.reload()["canary"] == digest
    assert [number(live) for _ in range(1000)].count(2) == pytest.approx(100, abs=2)
    by_key = {f"user {n}": number(live, key=f"user {n}") for n in range(1000)}
    assert 60 < list(by_key.values()).count(2) < 140
    assert {key: number(live, key=key) for key in by_key} == by_key


def test_a_tenant_gets_its_own_version_and_its_own_canary(code: Code) -> None:
    live = code.reloader()
    second, third = (code.releases.store(code.first, release(count)) for count in (2, 3))
    write_routes(
        code.folder, Routes(tenants={"acme": second}, canary=Canary(digest=third, share=0.5, tenants=("umbrella",)))
    )
    live.reload()
    assert {number(live, tenant="acme") for _ in range(20)} == {2}
    assert {number(live, tenant="umbrella") for _ in range(20)} == {1, 3}
    assert {number(live) for _ in range(20)} == {1}


def test_routes_that_cannot_be_read_change_nothing(code: Code) -> None:
    live = code.reloader()
    for text in (
        "{",
        "[]",
        '{"tenants": 3}',
        '{"canary": {"share": 0.5}}',
        '{"canary": {"digest": "x", "share": "y"}}',
    ):
        (code.folder / "routes.json").write_text(text)
        assert live.reload()["stable"] == code.first
        assert number(live) == 1


def test_no_request_fails_or_is_mixed_while_versions_change(code: Code) -> None:
    live = code.reloader()
    digests = [code.first, code.releases.store(code.first, release(2)), code.releases.store(code.first, release(3))]
    faults: list[BaseException] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            try:
                number(live)
            except BaseException as error:  # noqa: BLE001  # each is a failed request
                faults.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for turn in range(12):
        code.releases.switch(digests[turn % 3])
        assert live.reload()["stable"] == digests[turn % 3]
    over.set()
    for thread in threads:
        thread.join()
    assert not faults
