"""What an answer says about limits, and how long it asks to wait."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.github.patience import asked_wait, limit_reached

DATE = "Tue, 14 Nov 2023 22:13:20 GMT"
NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("status", "headers", "message", "limited"),
    [
        (429, {}, "", True),
        (403, {}, "Resource not accessible by integration", False),
        (403, {"x-ratelimit-remaining": "0"}, "", True),
        (403, {"x-ratelimit-remaining": "7"}, "", False),
        (403, {"retry-after": "1"}, "", True),
        (403, {}, "You have exceeded a secondary rate limit", True),
        (404, {"x-ratelimit-remaining": "0"}, "rate limit", False),
    ],
)
def test_a_limit_is_told_from_a_prohibition(status: int, headers: dict[str, str], message: str, limited: bool) -> None:
    assert limit_reached(status, headers, message) is limited


@pytest.mark.parametrize(
    ("headers", "limited", "wait"),
    [
        ({"retry-after": "7"}, True, 7.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:29 GMT", "date": DATE}, False, 9.0),
        ({"retry-after": "-5"}, True, 0.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1700000010", "date": DATE}, True, 11.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1700000010"}, False, None),
        ({"x-ratelimit-remaining": "5", "x-ratelimit-reset": "1700000010"}, True, 60.0),
        ({}, True, 60.0),
        ({}, False, None),
        ({"retry-after": "soon"}, False, None),
    ],
)
def test_the_wait_is_what_github_asks(headers: dict[str, str], limited: bool, wait: float | None) -> None:
    clock_that_is_an_hour_late = NOW - 3600 if "date" in headers else NOW
    assert asked_wait(headers, clock_that_is_an_hour_late, limited=limited) == wait


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(["retry-after", "date", "x-ratelimit-reset", "x-ratelimit-remaining"]), st.text())
)
def test_no_header_breaks_it(headers: dict[str, str]) -> None:
    wait = asked_wait(headers, NOW, limited=True)
    assert wait is not None
    assert 0 <= wait < float("inf")
