"""Edits of `campaigns/quadrature`: sound ones, constants that suit them, and traps."""

from __future__ import annotations

from benchmarks.code_campaigns.edits import Edit

__all__ = ["SOUND", "TRAPS", "TUNED", "TUNED_AS_IT_SHIPS"]

ADAPTIVE = "quadrature/adaptive.py"
RULES = "quadrature/rules.py"

SHIPPED = {"ORDER": "4", "PANELS": "32", "PIECES": "2", "BATCH": "4", "MARGIN": "0.1"}


def constants(name: str, **values: str) -> Edit:
    """Other values for the constants named."""
    return Edit(
        name,
        tuple(
            (ADAPTIVE, f"\n{one} = {SHIPPED[one]}  # tun", f"\n{one} = {value}  # tun") for one, value in values.items()
        ),
    )


def cached(path: str, function: str, above: str) -> Edit:
    """The function remembered without limit; the import goes before the line `above`."""
    return Edit(
        f"remember {function}",
        (
            (path, above, f"from functools import lru_cache\n{above}"),
            (path, f"def {function}(", f"@lru_cache(maxsize=None)\ndef {function}("),
        ),
    )


SOUND = (
    cached(RULES, "gauss_rule", "from collections.abc import"),
    Edit(
        "centre and width once per panel",
        (
            (
                RULES,
                """    total = 0.0
    for node, weight in rule:
        total = total + (high - low) / 2 * weight * function((low + high) / 2 + (high - low) / 2 * node)
    return total
""",
                """    centre = (low + high) / 2
    half = (high - low) / 2
    return half * sum([weight * function(centre + half * node) for node, weight in rule])
""",
            ),
        ),
    ),
    Edit(
        "worst panels from a heap",
        (
            (
                ADAPTIVE,
                "from dataclasses import",
                "from heapq import heapify, heappop, heappush\nfrom dataclasses import",
            ),
            (
                ADAPTIVE,
                """    panels = divide(function, low, high, PANELS, rule)
    while sum([panel.error for panel in panels]) > MARGIN * tolerance:
""",
                """    first = divide(function, low, high, PANELS, rule)
    panels = [(-panel.error, panel.low, panel.high, panel.value) for panel in first]
    heapify(panels)
    error = -sum([panel[0] for panel in panels])
    while error > MARGIN * tolerance:
""",
            ),
            (
                ADAPTIVE,
                """        panels.sort(key=lambda panel: panel.error)
        worst = panels[-BATCH:]
        panels = panels[:-BATCH]
        for panel in worst:
            panels = panels + divide(function, panel.low, panel.high, PIECES, rule)
    return Result(sum([panel.value for panel in panels]), sum([panel.error for panel in panels]), len(panels))
""",
                """        for _ in range(min(BATCH, len(panels))):
            negative, left, right, _ = heappop(panels)
            error += negative
            for panel in divide(function, left, right, PIECES, rule):
                heappush(panels, (-panel.error, panel.low, panel.high, panel.value))
                error += panel.error
    return Result(sum([panel[3] for panel in panels]), -sum([panel[0] for panel in panels]), len(panels))
""",
            ),
        ),
    ),
    Edit("panels with slots", ((ADAPTIVE, "@dataclass\nclass Panel:", "@dataclass(slots=True)\nclass Panel:"),)),
)
"""Keep the behaviour to the last digits."""

TUNED_AS_IT_SHIPS = constants(
    "constants for the code as it ships", ORDER="8", PANELS="4", PIECES="3", BATCH="1", MARGIN="3.0"
)
"""The fastest of some dozens that were tried within the tests, none of the other edits made."""

TUNED = constants("constants for the mended code", ORDER="12", PANELS="3", PIECES="3", BATCH="1", MARGIN="10.0")
"""The same with all sound edits made."""

TRAPS = (
    cached(RULES, "apply_rule", "from collections.abc import"),
    cached(ADAPTIVE, "measure", "from collections.abc import"),
    cached(ADAPTIVE, "integrate", "from collections.abc import"),
    constants("trust in the estimates", MARGIN="1000.0"),
    constants("one panel to begin with", PANELS="1"),
    Edit(
        "bounds not looked at",
        (
            (
                ADAPTIVE,
                """    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"bounds must be finite, not {low} and {high}")
""",
                "",
            ),
        ),
    ),
)
"""Look like the sound ones; the tests of the package must refuse each."""
