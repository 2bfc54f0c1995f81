from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from session_terminal import Terminal


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    """Opens sessions in terminals; none is left when the test ends."""
    opened: list[Terminal] = []

    def open_(*words: object, **options: object) -> Terminal:
        opened.append(Terminal(*words, **options))
        return opened[-1]

    yield open_
    for one in opened:
        one.close()
