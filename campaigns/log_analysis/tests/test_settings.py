from __future__ import annotations

from datetime import datetime

import pytest
from logstats import SETTINGS
from logstats.settings import is_slow, local_hour, shown_name

EVENING = datetime(2024, 3, 1, 22, 30)


@pytest.mark.parametrize(("ahead", "hour"), [(0.0, 22), (1.0, 23), (1.5, 0), (-23.0, 23), (5.5, 4)])
def test_hours_follow_the_offset_in_force(ahead, hour):
    assert local_hour(EVENING) == 22
    SETTINGS.hours_ahead = ahead
    assert local_hour(EVENING) == hour


def test_slow_is_what_is_set_as_slow():
    assert [is_slow(value) for value in (0.99, 1.0, 1.01)] == [False, True, True]
    SETTINGS.slow_s = 1.005
    assert [is_slow(value) for value in (0.99, 1.0, 1.01)] == [False, False, True]


def test_aliases_may_be_given_and_taken_back():
    assert shown_name("billing") == "billing"
    SETTINGS.aliases["billing"] = "Payments"
    assert shown_name("billing") == "Payments"
    SETTINGS.aliases["billing"] = "Money"
    assert shown_name("billing") == "Money"
    del SETTINGS.aliases["billing"]
    assert shown_name("billing") == "billing"
