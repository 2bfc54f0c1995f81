from shop.loyalty import loyal_entries, loyal_share


def test_entries_of_who_came_again() -> None:
    assert loyal_entries([1, 2, 1, 3, 2, 1]) == 5
    assert loyal_entries([1, 2, 3]) == 0
    assert loyal_entries([4, 4]) == 2


def test_the_share_of_them() -> None:
    assert loyal_share([1, 2, 1, 3]) == 0.5
    assert loyal_share([]) == 0.0
