import itertools

import pytest
from shop.quotes import BOXES, ZONES, basket_quote, packing_cost


def cheapest_by_trying(volume: int) -> int:
    """Every way to take up to two boxes of each kind."""
    ways = itertools.product(range(3), repeat=len(BOXES))
    return min(
        sum(n * price for n, (_, price) in zip(way, BOXES, strict=True))
        for way in ways
        if sum(n * size for n, (size, _) in zip(way, BOXES, strict=True)) >= volume
    )


@pytest.mark.parametrize("volume", [1, 40, 41, 115, 119, 300])
def test_no_set_of_boxes_is_cheaper(volume: int) -> None:
    assert packing_cost(volume, "home") == cheapest_by_trying(volume)


def test_nothing_costs_nothing() -> None:
    assert packing_cost(0, "home") == 0
    assert basket_quote([], "far") == 0


def test_zones_cost_their_percent() -> None:
    home = packing_cost(500, "home")
    assert [packing_cost(500, zone) for zone in ZONES] == [home, home * 135 // 100, home * 220 // 100]


def test_a_zone_that_is_not_known() -> None:
    with pytest.raises(KeyError):
        packing_cost(10, "moon")


def test_a_basket_is_packed_line_by_line() -> None:
    assert basket_quote([30, 30, 200], "near") == 2 * packing_cost(30, "near") + packing_cost(200, "near")
