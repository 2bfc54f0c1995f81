"""Prometheus' text format: families of samples with their help and type.  Names are valid in OpenMetrics too.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/ (version 0.0.4).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

__all__ = ["CONTENT_TYPE", "Family", "Sample", "exposition"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Sample = tuple[tuple[str, ...], float]
"""The values of the family's labels, and the number."""


@dataclass(frozen=True)
class Family:
    """One metric.  The name of a counter ends in `_total`; seconds and bytes are told as such."""

    name: str
    kind: Literal["counter", "gauge"]
    help: str
    samples: tuple[Sample, ...]
    labels: tuple[str, ...] = ()


def exposition(families: Iterable[Family]) -> str:
    """The text of the families; one without samples is left out."""
    lines: list[str] = []
    for family in families:
        if not family.samples:
            continue
        lines.append(f"# HELP {family.name} {_escaped(family.help)}")
        lines.append(f"# TYPE {family.name} {family.kind}")
        for values, number in family.samples:
            pairs = ",".join(
                f'{label}="{_escaped(value, quotes=True)}"' for label, value in zip(family.labels, values, strict=True)
            )
            lines.append(f"{family.name}{{{pairs}}} {_number(number)}" if pairs else f"{family.name} {_number(number)}")
    return "".join(f"{line}\n" for line in lines)


def _escaped(text: str, *, quotes: bool = False) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n").encode("utf-8", "replace").decode()
    return text.replace('"', '\\"') if quotes else text


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if float(value).is_integer() and abs(value) < 2**53 else repr(float(value))
