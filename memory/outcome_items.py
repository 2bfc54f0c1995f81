"""Items of the store of outcomes: where they may lie, what they are as records, and what recall compares of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from core.errors import ConfigError
from core.production import OUTCOMES, TRAINING, ExtractedPlan, ProductionOutcome

__all__ = ["ROOTS", "StoredItem", "below", "is_label", "namespace_of", "object_of", "record_of_value", "told_of"]

ROOTS = (OUTCOMES, TRAINING)


@dataclass(frozen=True)
class StoredItem:
    """What a key holds.  `score` is the cosine to the question, where one was asked; `at` is UTC seconds.

    `number` counts the rows of the ledger: a later one is greater.
    """

    namespace: tuple[str, str]
    key: str
    value: dict[str, Any]
    at: float
    number: int
    score: float | None = None


def namespace_of(namespace: Sequence[str]) -> tuple[str, str]:
    """(root, agent).  Raises ConfigError for any other namespace."""
    labels = tuple(namespace)
    if len(labels) != 2 or labels[0] not in ROOTS or not all(is_label(one) for one in labels):
        raise ConfigError(
            f"there is no namespace {labels!r} here", where="outcome store", hint=f"({' or '.join(ROOTS)}, agent)"
        )
    return labels[0], labels[1]


def is_label(value: object) -> bool:
    """Whether it can be a label or a key; databases take no NUL."""
    return isinstance(value, str) and bool(value) and "\x00" not in value


def below(prefix: Sequence[str]) -> tuple[Sequence[str], str | None]:
    """The roots and the agent that a prefix allows."""
    labels = tuple(prefix)
    if not labels:
        return ROOTS, None
    if len(labels) == 1 and labels[0] in ROOTS:
        return labels, None
    root, owner = namespace_of(labels)
    return (root,), owner


def object_of(body: str) -> dict[str, Any] | None:
    """The JSON object that a body is; None when it is none."""
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def record_of_value(root: str, value: Mapping[str, Any]) -> ProductionOutcome | ExtractedPlan | None:
    """The record that a value is, if it is one."""
    form: type[ProductionOutcome | ExtractedPlan] = ProductionOutcome if root == OUTCOMES else ExtractedPlan
    try:
        return form.model_validate(value)
    except ValidationError:
        return None


def told_of(record: ProductionOutcome | ExtractedPlan) -> str:
    """What recall compares: what the task was, and how it went or is done."""
    if isinstance(record, ProductionOutcome):
        end = "" if record.success else f"; failed: {'; '.join(record.failure_reasons)[:300]}"
        return f"{record.task_type}: {record.task[:600]}{end}"
    return f"{record.task_type}: {record.strategy[:300]}; {'; '.join(record.steps)}"
