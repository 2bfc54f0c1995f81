from __future__ import annotations

import json

import pytest
from lines import access_line
from logstats import SETTINGS, User, analyse, as_json, as_text
from logstats.report import figure, rounded

ACCESS = [
    access_line("01/Mar/2024:12:00:00 +0000", "/cart?x=1", user="ann", duration="0.100"),
    access_line("01/Mar/2024:12:00:30 +0000", "/cart", user="bob", duration="2.500"),
    access_line("01/Mar/2024:12:40:00 +0000", "/", user="ann", size="-", duration="0.300"),
    access_line("01/Mar/2024:14:10:00 +0000", "/help", user="-", duration="1.000"),
    "rotated",
]
APPLICATION = [
    "2024-03-01 12:00:01 INFO [shop] Order 17 accepted",
    "2024-03-01 12:00:02 EROR [bank] Timeout after 30 seconds",
    "2024-03-01 12:00:03 ERROR [bank] Timeout after 31 seconds",
    "2024-03-01 12:00:04 INFO [shop] Order 18 accepted",
    "2024-03-01 12:00:05 INFO [shop] Order 18 accepted",
    "nothing",
]
USERS = [User("ann", "sales"), User("ann", "board"), User("bob", "sales")]


@pytest.fixture
def report():
    return analyse(iter(ACCESS), iter(APPLICATION), USERS)


def test_lines_and_traffic(report):
    assert report["lines"] == {"requests": 4, "events": 5, "rejected": 2}
    traffic = report["traffic"]
    assert traffic["paths"] == [("/cart", 2), ("/", 1), ("/help", 1)]
    assert traffic["browsers"] == [("curl", 4)]
    assert traffic["hours"] == {"12": 3, "14": 1}
    assert traffic["windows"] == [
        ["2024-03-01 12:00:00+00:00", 3],
        ["2024-03-01 13:00:00+00:00", 0],
        ["2024-03-01 14:00:00+00:00", 1],
    ]
    assert traffic["busiest_minute"] == ["2024-03-01 12:00:30+00:00", 2]
    assert traffic["bytes"] == 3 * 512


def test_latency_and_visitors(report):
    assert len(report["latency"]["curve"]) == 99
    assert report["latency"]["curve"][49] == [50, 0.65]
    assert report["latency"]["slow"] == 2
    assert report["latency"]["slowest"][0] == ["/cart", "bob", 2.5]
    visitors = report["visitors"]
    assert (visitors["addresses"], visitors["users"], visitors["sessions"]) == (1, 3, 3)
    assert visitors["teams"] == {"sales": [3, 2.9, 2], "board": [2, 0.4, 1]}


def test_events_and_wording(report):
    events = report["events"]
    assert events["levels"] == {"INFO": 3, "ERROR": 2}
    assert events["sources"] == {"shop": 3, "bank": 2}
    assert events["clusters"] == [
        [
            "Order <number> accepted",
            3,
            "2024-03-01 12:00:01",
            "2024-03-01 12:00:05",
            ["Order 17 accepted", "Order 18 accepted"],
        ],
        [
            "Timeout after <number> seconds",
            2,
            "2024-03-01 12:00:02",
            "2024-03-01 12:00:03",
            ["Timeout after 30 seconds", "Timeout after 31 seconds"],
        ],
    ]
    assert events["error_clusters"] == [["Timeout after <number> seconds", 2]]
    assert events["alerts"] == {"Timeout": 2}
    wording = report["wording"]
    assert wording["messages"] == 4
    assert wording["words"] == [("accepted", 2), ("order", 2), ("seconds", 2), ("timeout", 2)]
    assert wording["bigrams"] == [("order accepted", 2), ("timeout seconds", 2)]


def test_settings_in_force_show_in_the_next_report(report):
    SETTINGS.hours_ahead = -1.0
    SETTINGS.slow_s = 2.0
    SETTINGS.aliases["bank"] = "shop"
    again = analyse(ACCESS, APPLICATION, USERS)
    assert again["traffic"]["hours"] == {"11": 3, "13": 1}
    assert again["latency"]["slow"] == 1
    assert again["events"]["sources"] == {"shop": 5}
    assert report["traffic"]["hours"] == {"12": 3, "14": 1}


def test_a_report_of_the_same_lines_is_the_same(report):
    assert as_json(analyse(ACCESS, APPLICATION, USERS)) == as_json(report)


def test_a_report_on_nothing():
    empty = analyse([], [], [])
    assert empty["traffic"]["busiest_minute"] is None
    assert empty["latency"]["curve"][0] == [1, 0.0]
    assert json.loads(as_json(empty)) == empty
    assert as_text(empty).startswith("LINES\n  requests: 0\n")


def test_json_says_the_same(report):
    again = json.loads(as_json(report))
    assert again["events"] == report["events"]
    assert again["traffic"]["paths"][0] == ["/cart", 2]
    assert as_json(report).startswith('{"events": {"alerts": ')
    assert as_json({"a": {"b": "é"}}) == '{"a": {"b": "é"}}'


def test_text_has_a_line_for_each_entry():
    text = as_text(
        {
            "part": {
                "n": 1234567,
                "share": 0.25,
                "names": {"a": 1, "b": [2, "x", ["", 3.0]]},
                "rows": [["p", 1], ("q", 2.5)],
                "no": None,
            }
        }
    )
    assert text == (
        "PART\n  n: 1,234,567\n  share: 0.250\n  names\n    a: 1\n    b: 2  x  3.000\n"
        "  rows\n    p  1\n    q  2.500\n  no: None\n"
    )
    assert as_text({}) == ""


def test_whole_numbers_and_others_are_told_apart():
    assert [figure(value) for value in (1, 1.0, 0.0, 0, -0.0, 2000, 2000.0)] == [
        "1",
        "1.000",
        "0.000",
        "0",
        "-0.000",
        "2,000",
        "2000.000",
    ]
    assert as_text({"a": {"x": 1, "y": 1.0, "z": 1}}) == "A\n  x: 1\n  y: 1.000\n  z: 1\n"


def test_numbers_are_rounded_to_the_microsecond():
    assert rounded(1.23456789) == 1.234568
    assert rounded(float("nan")) == 0.0
