"""By how much latency fell: signs, scale, and an interval that knows when it knows nothing."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.watch import ServiceReading
from search.level_change import latency_reduction

values = st.lists(st.floats(1.0, 1e4), min_size=5, max_size=40)


def windows(p95: list[float]) -> list[ServiceReading | None]:
    return [ServiceReading(at=float(i), seconds=1.0, requests=10, errors=0, p95_ms=x) for i, x in enumerate(p95)]


@given(values)
def test_the_same_windows_are_no_change(p95: list[float]) -> None:
    found = latency_reduction(windows(p95), windows(p95))
    assert found is not None
    assert found.share == 0
    assert found.low <= 0 <= found.high


@given(values, st.floats(0.1, 10))
def test_units_are_no_matter(p95: list[float], factor: float) -> None:
    after = [x / 2 for x in reversed(p95)]
    one = latency_reduction(windows(p95), windows(after))
    two = latency_reduction(windows([x * factor for x in p95]), windows([x * factor for x in after]))
    assert one is not None
    assert two is not None
    assert np.allclose((one.share, one.low, one.high), (two.share, two.low, two.high))


def test_half_the_latency_is_told_from_noise() -> None:
    rng = np.random.default_rng(0)
    before, after = rng.lognormal(4, 0.2, 40).tolist(), rng.lognormal(4 - np.log(2), 0.2, 20).tolist()
    found = latency_reduction(windows(before), windows(after))
    assert found is not None
    assert 0.3 < found.low < found.share < found.high < 0.7


def test_gaps_and_few_windows_say_nothing() -> None:
    assert latency_reduction(windows([1.0] * 4), windows([1.0] * 9)) is None
    assert latency_reduction([*windows([1.0] * 4), None, None], windows([1.0] * 9)) is None
