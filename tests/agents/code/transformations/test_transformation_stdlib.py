"""All transformations over Python's own library: nothing crashes, every offer applies, and is gone when applied."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from agents.code.transformations.registry import apply_site, find_sites

LIBRARY = Path(os.__file__).parent
SAMPLE = 120
PLACES = 3
"""Sites of one transformation that are tried in one module."""


def modules() -> list[Path]:
    """A fixed sample of the library's modules, its tests among them."""
    found = sorted(path for path in LIBRARY.rglob("*.py") if "site-packages" not in path.parts)
    return random.Random(20).sample(found, SAMPLE)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_all_of_the_sample():
    offered: dict[str, int] = {}
    for path in modules():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        files = {path.name: text}
        tried: dict[str, int] = {}
        for site in find_sites(files):
            tried[site.transformation] = tried.get(site.transformation, 0) + 1
            if tried[site.transformation] > PLACES:
                continue
            after = apply_site(files, site)  # compiles, or raises
            again = {each.id for each in find_sites(after, [site.transformation])}
            assert site.id not in again, f"{path}:{site.line} {site.transformation}"
            offered[site.transformation] = offered.get(site.transformation, 0) + 1
    assert len(offered) > 8, offered
