"""docs/exports.md is what the code says: its example runs, its metrics are all of them, its settings exist."""

from __future__ import annotations

import re

from command_line import ROOT
from prometheus_client.parser import text_string_to_metric_families as parsed
from told_campaign import Told

from core.policy import Action
from core.settings import Settings
from memory.audit import Audit
from service.exports.prometheus import prometheus_text
from service.policy import Gate, Policy, local_context

TEXT = (ROOT / "docs" / "exports.md").read_text()


def test_the_example_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    exec(compile(code, "docs/exports.md", "exec"), {})


def test_every_metric_stands_in_the_table_with_its_labels(told: Told) -> None:
    Gate(Policy.load(), Audit(told.ledger.database)).decide(Action.READ, local_context())
    samples = [s for family in parsed(prometheus_text(told.ledger)) for s in family.samples]
    rows = [line.split("|")[1:3] for line in TEXT.splitlines() if line.startswith("| `ratchet_")]
    documented: dict[str, set[str]] = {}
    for names, labels in rows:
        told_names = re.findall(r"`(\w+)`", names)
        per_name = [set(re.findall(r"`(\w+)`", part)) for part in labels.split(";")]
        documented |= dict(zip(told_names, per_name * (len(told_names) if len(per_name) == 1 else 1), strict=True))
    assert documented == {s.name: set(s.labels) for s in samples if s.name.startswith("ratchet_")}
    live = {s.name.removesuffix("_total") for s in samples if not s.name.startswith("ratchet_")}
    improvement = (ROOT / "docs" / "improvement.md").read_text()
    assert live
    assert {name for name in live if name not in improvement} == set()


def test_the_settings_exist() -> None:
    named = set(re.findall(r"^\| `(webhook_\w+)`", TEXT, re.MULTILINE))
    assert named == {name for name in Settings.model_fields if name.startswith("webhook_")}
