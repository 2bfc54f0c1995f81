from __future__ import annotations

import random
from collections import Counter

import pytest
from lines import at, event
from logstats import alerts, clusters, template_of
from logstats.templates import templates_by_source


@pytest.mark.parametrize(
    ("message", "template"),
    [
        ("took 12 ms", "took <number> ms"),
        ("took 12.5ms of 3", "took <number>ms of <number>"),
        ("user 'bob 7' and \"it's\"", "user <text> and <text>"),
        ("from 10.0.0.1:8080 to 10.0.0.22", "from <address> to <address>"),
        ("at 0x5fA0.", "at <hex>."),
        ("id 0123abcd-0123-abcd-0123-0123456789ab lost", "id <uuid> lost"),
        ("read /srv/a-b/c.bin twice", "read <path> twice"),
        ("and /one alone", "and /one alone"),
        ("  too   many\tblanks ", "too many blanks"),
        ("", ""),
    ],
)
def test_what_varies_is_masked(message, template):
    assert template_of(message) == template


def test_a_template_is_its_own_template():
    for message in ["a 1 b 0x2 'c' /d/e/f 10.1.1.1", "x", "7"]:
        assert template_of(template_of(message)) == template_of(message)


def test_clusters_tell_count_first_last_and_examples():
    events = [
        event("try 3", 50),
        event("done", 10),
        event("try 1", 40),
        event("try 3", 60),
        event("try 2", 20),
        event("try 9", 30),
        event("done", 5),
    ]
    first, second = clusters(iter(events))
    assert (first.template, first.count, first.first, first.last) == ("try <number>", 5, at(20), at(60))
    assert first.examples == ["try 3", "try 1", "try 2"]
    assert (second.template, second.count, second.examples) == ("done", 2, ["done"])


def test_equal_clusters_stand_in_order_of_their_first_line():
    names = ["zeta", "alpha", "mid", "beta", "omega", "kappa"]
    assert [one.template for one in clusters([event(name) for name in names * 2])] == names
    assert [one.template for one in clusters([event(name) for name in [*names, "mid"]])] == [
        "mid",
        "zeta",
        "alpha",
        "beta",
        "omega",
        "kappa",
    ]


def test_examples_may_be_none_or_many():
    events = [event(f"try {i % 7}") for i in range(20)]
    assert clusters(events, examples=0)[0].examples == []
    assert clusters(events, examples=50)[0].examples == [f"try {i}" for i in range(7)]
    assert clusters([]) == []


def test_two_calls_do_not_share_their_clusters():
    events = [event("try 1"), event("try 2")]
    clusters(events)[0].examples.append("mine")
    assert clusters(events)[0].examples == ["try 1", "try 2"]
    assert clusters(events)[0].count == 2


def test_clusters_agree_with_a_plain_count():
    chance = random.Random(4)
    events = [event(f"{chance.choice('abcdef')} {chance.randint(0, 99)}", chance.randint(0, 999)) for _ in range(400)]
    counts = Counter(one.message[0] for one in events)
    found = clusters(events)
    assert [(one.template[0], one.count) for one in found] == counts.most_common()
    for one in found:
        moments = [each.moment for each in events if each.message[0] == one.template[0]]
        assert (one.first, one.last) == (min(moments), max(moments))


def test_templates_are_counted_per_source():
    events = [
        event("a 1", source="x"),
        event("b", source="y"),
        event("a 2", source="x"),
        event("c", source="x"),
        event("a 3", source="y"),
    ]
    assert list(templates_by_source(events).items()) == [("x", 2), ("y", 2)]
    assert templates_by_source([]) == {}


def test_alerts_count_messages_in_any_case_in_order_of_the_first():
    events = [event("all well"), event("RETRY, retry after TimeOut"), event("disk full"), event("timeout")]
    assert list(alerts(events, ["Full", "timeout", "Retry", "never"]).items()) == [
        ("timeout", 2),
        ("Retry", 1),
        ("Full", 1),
    ]
    assert alerts(events, []) == {}
    assert alerts([event("Straße")], ["STRASSE", "straße"]) == {"straße": 1}
