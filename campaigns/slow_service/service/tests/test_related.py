import pytest
from shop.related import common_buyers, related_products


def test_every_entry_counts() -> None:
    assert common_buyers([1, 2, 2], [2, 2, 3, 1]) == 3
    assert common_buyers([], [1]) == 0
    assert common_buyers([1], []) == 0


def test_most_in_common_first_then_the_lower_number() -> None:
    buyers = {1: [1, 2, 3], 2: [3], 3: [1, 2], 4: [9], 5: [2]}
    assert related_products(1, buyers) == [(3, 2), (2, 1), (5, 1)]
    assert related_products(1, buyers, most=1) == [(3, 2)]


def test_a_product_that_is_not_known() -> None:
    with pytest.raises(KeyError):
        related_products(7, {1: [1]})
