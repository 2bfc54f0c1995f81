"""What a line says, how things are drawn, and that no line at all can end a session."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import UsageError
from service.escape import escaped
from service.session.bars import ASCII, EIGHTHS, bar, sparkline
from service.session.blocks import fitted
from service.session.look import Look, ascii_text, knows_unicode
from service.session.names import Names
from service.session.output import SessionOutput
from service.session.session import OTHERS, Session
from service.session.words import BY_NAME, WORDS, Said, read_line
from service.words.commands import parser

KEPT = ("run", "resume", "edit", "e", "init", "deliver", "propose-pr", "audit", "export", "doctor")
"""Words that write files, run things or ask the machine: not for random lines."""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", Said()),
        ("   # why not", Said()),
        ("status", Said("status")),
        ("/Status  x ", Said("status", "x")),
        ("a", Said("accept")),
        ("r keep x small", Said("respond", "keep x small")),
        ("keep x below 0.5", Said("guide", "keep x below 0.5")),
        ("report tiny-1", Said("report", "tiny-1")),
        ("report what you have learned", Said("guide", "report what you have learned")),
        ("faster", Said("guide", "faster")),
    ],
)
def test_what_a_line_says(line: str, said: Said) -> None:
    assert read_line(line, OTHERS) == said


@pytest.mark.parametrize("line", ["staus", "/nothing", "/keep x small", "serve", "hsitory"])
def test_what_is_nearly_a_command_is_not_said_to_the_council(line: str) -> None:
    with pytest.raises(UsageError):
        read_line(line, OTHERS)


@given(st.text(max_size=200))
def test_every_line_is_a_command_or_guidance_or_an_error(line: str) -> None:
    try:
        said = read_line(line, OTHERS)
    except UsageError:
        return
    assert said.command in {"", *BY_NAME.values(), *OTHERS}
    if said.command == "guide" and not line.strip().lower().lstrip("/").startswith("guide"):
        assert said.rest == line.strip()  # nothing of it is lost


words = st.sampled_from([w for word in WORDS for w in (word.name, *word.also) if w not in KEPT] + ["policy", "show"])
tails = st.text(max_size=60) | st.sampled_from(
    ["d1", "j1 --json", "--help", "-k 3 x", '"', "a-1 campaign", "1e999", "=", "0"]
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.text(max_size=80) | st.builds("{} {}".format, words, tails), min_size=1, max_size=4))
def test_no_line_ends_a_session(
    lines: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    args = parser().parse_args(["--interactive", "--home", str(tmp_path / "home")])
    session = Session(args, SessionOutput.of(args))
    for line in lines:
        if line.strip().lower().lstrip("/").split(" ")[0] not in KEPT:
            session.take(line)
    told = capsys.readouterr()
    assert "internal error" not in told.err
    shown = told.out + told.err
    assert escaped(shown) == shown  # nothing that was typed moves the cursor when it is told again


@given(st.lists(st.floats(), max_size=50), st.integers(1, 60))
def test_sparklines_are_as_long_as_they_may_be(values: list[float], length: int) -> None:
    for unicode, marks in ((True, EIGHTHS), (False, ASCII)):
        line = sparkline(values, length, unicode=unicode)
        assert len(line) == min(length, sum(map(math.isfinite, values)))
        assert set(line) <= set(marks)


@given(st.floats(0, 1), st.integers(1, 40))
def test_bars_grow_with_their_share(share: float, length: int) -> None:
    drawn = bar(share, length, unicode=False)
    assert len(drawn) <= length
    assert bool(drawn) == (share > 0)
    assert len(drawn) <= len(bar(1.0, length, unicode=True)) == length


@given(st.text(max_size=300), st.integers(60, 200), st.booleans(), st.booleans())
def test_rows_stay_in_their_width_and_move_no_cursor(text: str, width: int, unicode: bool, color: bool) -> None:
    from rich.cells import cell_len

    row = fitted(text, "green", Look(width, color, unicode))
    assert row.endswith("\n")
    plain = row.removesuffix("\n").replace("\x1b[32m", "").replace("\x1b[0m", "")
    assert "\x1b" not in plain
    assert "\n" not in plain
    assert cell_len(plain) < width


@given(st.text())
def test_ascii_is_ascii(text: str) -> None:
    assert ascii_text(text).isascii()


@pytest.mark.parametrize(
    ("environment", "known"),
    [
        ({"LANG": "C"}, False),
        ({}, False),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False),  # Python has set LC_CTYPE
        ({"LANG": "de_DE.UTF-8"}, True),
        ({"LC_ALL": "C", "LANG": "en_GB.utf8"}, False),
        ({"LC_ALL": "C.UTF-8"}, True),
    ],
)
def test_unicode_by_the_locale(environment: dict[str, str], known: bool) -> None:
    assert knows_unicode(environment) is known


def test_names_in_the_order_of_appearance() -> None:
    names = Names()
    assert [names.of(name) for name in ("p-aa", "j-bb", "p-cc", "p-aa", "baseline")] == [
        "d1",
        "j1",
        "d2",
        "d1",
        "baseline",
    ]
    assert [names.whole(word) for word in ("d2", "j1", "d3", "d0", "d²")] == ["p-cc", "j-bb", "d3", "d0", "d²"]
    assert names.known() == ["d2", "j1", "d1"]
