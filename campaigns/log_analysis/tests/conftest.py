from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import pytest
from logstats import SETTINGS, Settings


@pytest.fixture(autouse=True)
def _settings_as_shipped() -> Iterator[None]:
    """Tests may change the settings; the next one finds them as they ship."""
    yield
    shipped = Settings()
    for one in fields(Settings):
        setattr(SETTINGS, one.name, getattr(shipped, one.name))
