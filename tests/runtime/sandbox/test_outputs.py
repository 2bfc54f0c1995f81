"""What goes in, and what comes back: bytes of plain files, and nothing by a trick."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from commands import Here
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ConfigError
from runtime.sandbox import SandboxLimits, SandboxRun, run
from runtime.warden.output import Kept


def test_work_as_content_and_as_a_folder(here: Here, tmp_path: Path) -> None:
    script = "import pathlib; print(sorted(str(p) for p in pathlib.Path('.').rglob('*')), open('a/b/c').read())"
    assert here.says(script, work={"a/b/c": b"deep", "d": b""}) == "['a', 'a/b', 'a/b/c', 'd'] deep"
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/c").write_text("deep")
    (tmp_path / "a/link").symlink_to("b/c")
    (tmp_path / "tool").write_text("#!/bin/sh\necho ran\n")
    (tmp_path / "tool").chmod(0o755)
    script = "import os, subprocess; print(open('a/link').read(), subprocess.run('./tool', capture_output=True).stdout)"
    assert here.says(script, work=tmp_path) == r"deep b'ran\n'"


def test_what_is_in_work_can_be_changed_and_the_source_is_not(here: Here, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("before")
    result = here.python("open('file', 'w').write('after')", work=tmp_path, outputs=["file"])
    assert result.outputs == {"file": b"after"}
    assert (tmp_path / "file").read_text() == "before"


def test_it_starts_where_it_is_told_and_reads_its_stdin(here: Here) -> None:
    script = "import os, sys; print(os.path.basename(os.getcwd()), sys.stdin.read(), os.listdir('.'))"
    assert here.says(script, work={"in/x": b""}, cwd="in", stdin=b"told") == "in told ['x']"


def test_a_place_to_start_that_is_not_there_is_said(here: Here) -> None:
    result = here.python("", cwd="nowhere")
    assert (result.ended, result.exit_code) == ("start", None)
    assert "nowhere" in result.reason


def test_a_result_survives_its_own_json(here: Here) -> None:
    result = here.python("import os; os.write(1, bytes(range(256))); open('o', 'wb').write(b'\xff')", outputs=["o"])
    assert SandboxRun.model_validate_json(result.model_dump_json()) == result


def test_stdin_cannot_be_written_to(here: Here) -> None:
    script = """
        import os
        for write in (lambda: os.write(0, b"x"), lambda: os.write(os.open("/proc/self/fd/0", os.O_RDWR), b"x")):
            try:
                write()
                print("written")
            except OSError:
                pass
        """
    assert here.says(script, stdin=b"told") == ""


def test_only_plain_files_come_back(here: Here, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret")
    (tmp_path / "secret").chmod(0o644)
    tmp_path.chmod(0o755)
    result = here.python(
        """
        import os, socket, sys
        secret = sys.argv[1]
        os.symlink(secret, "link")
        os.symlink(os.path.dirname(secret), "way")
        os.symlink("/", "root")
        os.mkfifo("pipe")
        os.mkdir("folder")
        open("good", "w").write("good")
        os.link("good", "twin")
        open("large", "wb").write(bytes(3 << 20))
        with open("holes", "wb") as file:
            file.truncate(200 << 20)
        os.mkdir("real")
        open("real/file", "wb").write(b"\\x80\\x04N.")
        """,
        str(tmp_path / "secret"),
        outputs=[
            "link",
            "way/secret",
            "root/etc/passwd",
            "pipe",
            "folder",
            "twin",
            "large",
            "holes",
            "missing",
            "real/file",
        ],
        limits={"copied_mb": 1},
    )
    assert result.exit_code == 0, result.stderr
    assert result.outputs == {"real/file": b"\x80\x04N."}
    assert set(result.refused) == {
        "link",
        "way/secret",
        "root/etc/passwd",
        "pipe",
        "folder",
        "twin",
        "large",
        "holes",
        "missing",
    }
    assert "s3cret" not in repr(result)


def test_outputs_together_are_bounded(here: Here) -> None:
    script = "for name in 'abc': open(name, 'wb').write(bytes(400_000))"
    result = here.python(script, outputs=["a", "b", "c"], limits={"copied_mb": 1})
    assert set(result.outputs) == {"a", "b"}
    assert "left for outputs" in result.refused["c"]


def test_outputs_of_a_command_that_was_ended_come_back_too(here: Here) -> None:
    result = here.python(
        "import time; open('out', 'w').write('so far'); time.sleep(600)", outputs=["out"], limits={"time_s": 0.7}
    )
    assert (result.ended, result.outputs) == ("time", {"out": b"so far"})


def test_names_that_are_odd_but_legal(here: Here) -> None:
    name = "ü \n'\"$(x)"
    result = here.python(
        "import sys; open(sys.argv[1], 'w').write(open('q').read())", name, work={"q": b"1"}, outputs=[name]
    )
    assert result.outputs == {name: b"1"}


def test_the_interpreter_has_its_packages(here: Here) -> None:
    assert here.says("import numpy, pydantic, sys; print(int(numpy.ones(3).sum()), sys.prefix)") == f"3 {sys.prefix}"


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../b", "a//b", "./a", "", ".", "a/", "nul\0"])
def test_paths_that_lead_elsewhere_are_refused_before_anything_runs(path: str) -> None:
    for field in ({"work": {path: b""}}, {"outputs": [path]}, {"inputs": {path: Path("/usr")}}):
        with pytest.raises(ConfigError):
            run([sys.executable], **field)  # type: ignore[arg-type]


def test_bad_commands_are_refused() -> None:
    with pytest.raises(ConfigError):
        run([])
    with pytest.raises(ConfigError):
        run([sys.executable, "a\0b"])
    with pytest.raises(ConfigError):
        run([sys.executable], environment={"A=B": "x"})
    with pytest.raises(ConfigError, match="within another"):
        run([sys.executable], inputs={"x": Path("/usr"), "x/y": Path("/usr")})
    with pytest.raises(ConfigError, match="does not exist"):
        run([sys.executable], inputs={"x": Path("/no/such/file")})
    with pytest.raises(ValueError):
        SandboxLimits(time_s=float("inf"))


@given(st.lists(st.binary(max_size=20), max_size=12), st.integers(8, 64))
def test_what_is_kept_is_the_beginning_and_the_end(chunks: list[bytes], most: int) -> None:
    kept = Kept(most)
    for chunk in chunks:
        kept.add(chunk)
    whole, content = b"".join(chunks), kept.content()
    assert kept.total == len(whole)
    if len(whole) <= most:
        assert content == whole
    else:
        assert content.startswith(whole[: most // 4])
        assert content.endswith(whole[-(most - most // 4) :])
        assert f"{len(whole) - most} bytes cut" in content.decode("utf-8", "replace")
