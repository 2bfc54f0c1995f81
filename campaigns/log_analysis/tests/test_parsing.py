from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from lines import access_line
from logstats import browser_of, level_of, parse_event, parse_events, parse_moment, parse_request, parse_requests

ACCESS = "%d/%b/%Y:%H:%M:%S %z"


def test_a_request_has_all_that_its_line_says():
    found = parse_request(access_line())
    assert found is not None
    assert found.moment == datetime(2024, 3, 1, 12, tzinfo=UTC)
    assert (found.address, found.user, found.method, found.path) == ("10.0.0.1", "ann", "GET", "/cart")
    assert (found.status, found.size, found.duration, found.agent) == (200, 512, 0.125, "curl/8.4.0")


def test_a_missing_size_is_zero_and_the_path_goes_to_the_question_mark():
    found = parse_request(access_line(target="/a/b?x=/c?d", size="-"))
    assert found is not None
    assert (found.size, found.path) == (0, "/a/b")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "rotated",
        access_line() + " ",
        access_line(moment="31/Feb/2024:12:00:00 +0000"),
        access_line(moment="1 March"),
        access_line(size="many"),
        access_line(duration="3"),
    ],
)
def test_a_line_that_is_no_request_is_none(line):
    assert parse_request(line) is None


def test_zones_are_kept():
    early = parse_moment("01/Mar/2024:12:00:00 +0200", ACCESS)
    late = parse_moment("01/Mar/2024:12:00:00 -0130", ACCESS)
    assert late - early == timedelta(hours=3.5)
    assert early.utcoffset() == timedelta(hours=2)


def test_one_text_in_two_layouts_gives_two_moments():
    assert parse_moment("02/03/2024", "%d/%m/%Y") == datetime(2024, 3, 2)
    assert parse_moment("02/03/2024", "%m/%d/%Y") == datetime(2024, 2, 3)
    assert parse_moment("02/03/2024", "%d/%m/%Y") == datetime(2024, 3, 2)


def test_what_follows_no_layout_raises_each_time():
    for _ in range(3):
        with pytest.raises(ValueError, match="does not match"):
            parse_moment("noon", ACCESS)


def test_many_moments_are_read_as_they_were_written():
    for i in range(500):
        moment = datetime(2024, 1, 1) + timedelta(seconds=7919 * i)
        assert parse_moment(f"{moment:%Y-%m-%d %H:%M:%S}", "%Y-%m-%d %H:%M:%S") == moment


def test_requests_come_in_order_and_others_are_counted():
    lines = [access_line(user="bob"), "", "   ", "rotated", access_line(user="ann") + "\n", "x"]
    found, rejected = parse_requests(iter(lines))
    assert [one.user for one in found] == ["bob", "ann"]
    assert rejected == 2


def test_equal_lines_give_records_of_their_own():
    first, second = parse_requests([access_line(), access_line()])[0]
    first.path = "/changed"
    assert second.path == "/cart"
    again = parse_request(access_line())
    assert again is not None
    assert again.path == "/cart"


def test_an_event_has_all_that_its_line_says():
    found = parse_event("2024-03-01 09:15:02 ERROR [billing.bank] Payment [7] refused  ")
    assert found is not None
    assert found.moment == datetime(2024, 3, 1, 9, 15, 2)
    assert (found.level, found.source, found.message) == ("ERROR", "billing.bank", "Payment [7] refused")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "billing: refused",
        "2024-13-01 09:15:02 ERROR [a] b",
        "2024-03-01 09:15 ERROR [a] b",
        "2024-03-01 09:15:02 7 [a] b",
    ],
)
def test_a_line_that_is_no_event_is_none(line):
    assert parse_event(line) is None


def test_an_event_goes_on_over_lines_that_begin_with_blanks():
    lines = [
        "  lost",
        "2024-03-01 09:15:02 WARN [a] one",
        "  two",
        "\tthree",
        "",
        "broken",
        "  four",
        "2024-03-01 09:15:03 INFO [a] x",
    ]
    found, rejected = parse_events(lines)
    assert [one.message for one in found] == ["one two three four", "x"]
    assert rejected == 2


def test_what_goes_on_after_one_event_does_not_go_on_after_its_twin():
    line = "2024-03-01 09:15:02 WARN [a] one"
    found, _ = parse_events([line, "  more", line, line, "  other"])
    assert [one.message for one in found] == ["one more", "one", "one other"]
    assert [one.message for one in parse_events([line])[0]] == ["one"]


@pytest.mark.parametrize(
    ("word", "level"),
    [
        ("ERROR", "ERROR"),
        ("error", "ERROR"),
        ("EROR", "ERROR"),
        ("ERRRO", "ERROR"),
        ("WRAN", "WARN"),
        ("WARNIN", "WARN"),
        ("WARNING", "UNKNOWN"),
        ("Ifno", "INFO"),
        ("DBG", "DEBUG"),
        ("FTL", "FATAL"),
        ("X", "UNKNOWN"),
        ("NOTICE", "UNKNOWN"),
    ],
)
def test_levels_are_found_within_two_edits(word, level):
    assert level_of(word) == level
    assert level_of(word) == level


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/121.0 Safari/537.36", "chrome"),
        (
            "Mozilla/5.0 (X11; Linux) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/121.0 Safari/537.36 Edg/121.0",
            "edge",
        ),
        (
            "Mozilla/5.0 (X11; Linux) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/121.0 Safari/537.36 OPR/99.0",
            "opera",
        ),
        ("Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Safari/605.1", "safari"),
        ("Mozilla/5.0 (X11; rv:120.0) Gecko/20100101 Firefox/120.0", "firefox"),
        ("Mozilla/5.0 (compatible; SearchBot/2.1)", "bot"),
        ("CURL/8.0", "curl"),
        ("not curl/8.0", "other"),
        ("python-requests/2.31", "library"),
        ("", "other"),
    ],
)
def test_browsers_are_told_apart(agent, name):
    assert browser_of(agent) == name
