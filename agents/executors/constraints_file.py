"""`constraints.json`: what must not be tried, by a person's hand or learned.

    {"schema": 1,
     "forbidden_ranges":  [{"param": "learning_rate", "min": 0.1, "max": 1.0, "reason": "diverges"}],
     "forbidden_regions": [{"conditions": {…}, "reason": …, "evidence": […]}]}

A range is one interval of one number; either end may be null.  A region is what a range cannot say: options, or two
conditions together.  What was learned bears `"learned": true`, and is written anew with every lesson; the rest is a
person's, and stays as it is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from core.errors import ConfigError
from core.files import write_private
from search.constraints import Condition, Region

__all__ = ["read_constraints", "write_learned"]

SCHEMA = 1
LISTS = ("forbidden_ranges", "forbidden_regions")


def read_constraints(path: Path, *, learned: bool = True) -> list[Region]:
    """The regions in the file, without `learned` those of a person; none when there is no file.

    Raises ConfigError for what cannot be read.
    """
    data = _read(path)
    if not learned:
        data = {key: [e for e in data.get(key, []) if not e.get("learned")] for key in LISTS}
    ranges = [_from_range(entry, path) for entry in data.get("forbidden_ranges", [])]
    try:
        fields = ("conditions", "reason", "evidence")
        regions = [
            Region.model_validate({name: entry[name] for name in fields if name in entry})
            for entry in data.get("forbidden_regions", [])
        ]
    except (ValueError, TypeError) as error:
        raise ConfigError(f"a forbidden region cannot be read: {error}", where=str(path)) from error
    return [*ranges, *regions]


def write_learned(path: Path, regions: Iterable[Region]) -> None:
    """Put `regions` in the place of what was learned before; what a person wrote stays."""
    data = _read(path)
    ranges = [entry for entry in data.get("forbidden_ranges", []) if not entry.get("learned")]
    others = [entry for entry in data.get("forbidden_regions", []) if not entry.get("learned")]
    for region in regions:
        note = {"reason": region.reason, "evidence": list(region.evidence), "learned": True}
        name, condition = next(iter(region.conditions.items()))
        if len(region.conditions) == 1 and condition.options is None:
            ranges.append({"param": name, "min": condition.low, "max": condition.high, **note})
        else:
            others.append({"conditions": region.model_dump(mode="json")["conditions"], **note})
    whole: dict[str, Any] = {"schema": SCHEMA, "forbidden_ranges": ranges, "forbidden_regions": others}
    text = json.dumps(whole, indent=1)
    if data and json.dumps({"schema": SCHEMA, **data}, indent=1) == text:
        return
    write_private(path, text)


def _read(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read the constraints: {error}", where=str(path)) from error
    if not isinstance(data, dict) or not all(
        isinstance(data.get(key, []), list) and all(isinstance(entry, dict) for entry in data.get(key, []))
        for key in LISTS
    ):
        raise ConfigError(
            "constraints are an object with lists `forbidden_ranges` and `forbidden_regions`", where=os.fspath(path)
        )
    return data


def _from_range(entry: dict[str, Any], path: Path) -> Region:
    try:
        condition = Condition(low=entry.get("min"), high=entry.get("max"))
        return Region(
            conditions={str(entry["param"]): condition},
            reason=str(entry.get("reason") or f"{entry['param']} {condition} is forbidden"),
            evidence=tuple(entry.get("evidence", ())),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise ConfigError(
            f"{entry} is not a forbidden range: {error}",
            where=str(path),
            hint='write {"param": "learning_rate", "min": 0.1, "max": 1.0, "reason": "diverges"}',
        ) from error
