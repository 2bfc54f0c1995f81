from __future__ import annotations

import pytest
from commands import Here, here_at

from runtime.sandbox import Level

__all__ = ["here", "isolated"]


@pytest.fixture(params=[3, 2, 1], ids=lambda level: f"level{level}")
def here(request: pytest.FixtureRequest) -> Here:
    """Each mechanism that this machine has; skipped aloud where it has not."""
    level: Level = request.param
    return here_at(level)


@pytest.fixture(params=[3, 2], ids=lambda level: f"level{level}")
def isolated(request: pytest.FixtureRequest) -> Here:
    """Each mechanism that may hold code nobody trusts."""
    level: Level = request.param
    return here_at(level)
