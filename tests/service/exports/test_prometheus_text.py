"""The metrics: as Prometheus' own parser reads them, counted from the ledger, bounded, and cheap the second time."""

from __future__ import annotations

import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as parsed
from told_campaign import DEFINITION, Told, tell_cycle

from core.approvals import Answer
from core.campaign import Campaign
from core.errors import ApprovalNeededError
from core.events import CycleFinished, ModelCalled
from core.forks import ForkPoint
from core.policy import Action
from graph.forking import fork
from memory.approvals import Approvals
from memory.audit import Audit
from memory.ledger import Ledger
from service.exports.exposition import Family, exposition
from service.exports.prometheus import CAMPAIGNS, prometheus_text
from service.policy import Gate, Policy, local_context

Labels = frozenset[tuple[str, str]]


def samples(text: str) -> dict[str, dict[Labels, float]]:
    found: dict[str, dict[Labels, float]] = {}
    for family in parsed(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
    return found


def labels(**given: str) -> Labels:
    return frozenset(given.items())


def test_it_counts_what_the_ledger_holds(told: Told) -> None:
    gate = Gate(Policy.load(), Audit(told.ledger.database))
    gate.decide(Action.READ, local_context())
    found = samples(prometheus_text(told.ledger))
    assert found["ratchet_campaigns"] == {labels(status="finished"): 1}
    assert found["ratchet_cycles_finished_total"] == {labels(): 2}
    assert found["ratchet_jobs_started_total"] == {labels(purpose="proposal"): 6}
    jobs = {labels(status=s, purpose="proposal"): 2.0 for s in ("ok", "stopped", "failed")}
    assert found["ratchet_jobs_finished_total"] == jobs
    assert found["ratchet_job_seconds_total"] == dict.fromkeys(jobs, 1.5)
    assert found["ratchet_job_cpu_seconds_total"] == dict.fromkeys(jobs, 1.0)
    assert found["ratchet_proposals_total"] == {labels(kind="experiment"): 8}
    assert found["ratchet_rulings_total"] == {labels(decision="accept"): 6, labels(decision="reject"): 2}
    assert found["ratchet_votes_total"] == {labels(approves="true"): 6, labels(approves="false"): 2}
    assert found["ratchet_role_failures_total"] == {labels(role="voter"): 2}
    assert found["ratchet_verdicts_total"] == {labels(answer="better"): 1}
    assert found["ratchet_audit_decisions_total"] == {labels(action="READ", decision="allowed"): 1}
    assert found["ratchet_ledger_size_bytes"][labels()] >= 4096


def test_models_are_told_with_what_they_took(told: Told) -> None:
    found = samples(prometheus_text(told.ledger))
    odd = 'ollama:"a"\\b'  # comes back whole from its escapes
    assert found["ratchet_model_calls_total"] == {
        labels(model=odd, role="proposer", result="answered"): 2,
        labels(model="ollama:b", role="proposer", result="failed"): 2,
    }
    assert found["ratchet_model_tokens_total"][labels(model=odd, direction="input")] == 200
    assert found["ratchet_model_tokens_total"][labels(model=odd, direction="output")] == 40
    assert found["ratchet_model_cost_usd_total"][labels(model=odd)] == 0.5
    assert found["ratchet_model_seconds_total"][labels(model=odd)] == 1.0


def test_values_are_those_of_the_metric_not_scores(told: Told) -> None:
    found = samples(prometheus_text(told.ledger))
    of = labels(campaign=told.stored.id, metric="loss")
    assert found["ratchet_campaign_best_value"] == {of: 0.1}
    assert found["ratchet_campaign_baseline_value"] == {of: pytest.approx(0.6)}
    assert found["ratchet_campaign_cycle"] == {labels(campaign=told.stored.id): 2}


def test_a_second_reader_and_a_later_look_agree(told: Told) -> None:
    before = samples(prometheus_text(told.ledger))
    other = Ledger(told.folder.ledger_url)  # as another process would have it open
    assert samples(prometheus_text(other)) == before
    tell_cycle(told, 3)
    after, fresh = samples(prometheus_text(other)), samples(prometheus_text(told.ledger))
    assert after == fresh
    assert after["ratchet_cycles_finished_total"] == {labels(): 3}
    for name in (name for name in before if name.endswith("_total")):
        assert all(after[name][key] >= value for key, value in before[name].items()), name
    other.close()


def test_the_past_of_a_fork_counts_once(told: Told) -> None:
    before = samples(prometheus_text(told.ledger))
    made = fork(told.ledger, told.stored, ForkPoint(cycle=2), guidance=["keep lr below 0.03"])
    after = samples(prometheus_text(told.ledger))
    with Ledger(told.folder.ledger_url) as other:
        fresh = samples(prometheus_text(other))
    rows = ("ratchet_events_total", "ratchet_campaign_updated_timestamp_seconds", "ratchet_ledger_size_bytes")
    of = labels(campaign=made.id, metric="loss")
    for found in (after, fresh):
        assert {n: v for n, v in found.items() if n.endswith("_total") and n not in rows} == {
            n: v for n, v in before.items() if n.endswith("_total") and n not in rows
        }
        assert found["ratchet_campaign_cycle"][labels(campaign=made.id)] == 2
        assert found["ratchet_campaign_baseline_value"][of] == pytest.approx(0.6)
    told.ledger.append(CycleFinished(campaign_id=made.id, cycle=3, stages={}, metrics={}))
    assert samples(prometheus_text(told.ledger))["ratchet_cycles_finished_total"] == {labels(): 3}


def test_questions_that_wait_are_those_of_the_inbox(told: Told) -> None:
    gate = Gate(Policy.load(), Audit(told.ledger.database), approvals=Approvals(told.ledger))
    with pytest.raises(ApprovalNeededError) as asked:
        gate.require(Action.MEMORY_DELETE, local_context())
    assert samples(prometheus_text(told.ledger))["ratchet_approvals_waiting"] == {labels(): 1}
    question = Approvals(told.ledger).get(asked.value.approval_id)
    Approvals(told.ledger).answer(
        question.id, Answer(kind="ignore"), by="me", door="rest", shown_hash=question.shown_hash
    )
    assert samples(prometheus_text(told.ledger))["ratchet_approvals_waiting"] == {labels(): 0}


def test_threads_count_nothing_twice(told: Told) -> None:
    texts: list[str] = []
    threads = [threading.Thread(target=lambda: texts.append(prometheus_text(told.ledger))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(texts) == 8
    assert {samples(text)["ratchet_proposals_total"][labels(kind="experiment")] for text in texts} == {8.0}


def test_labels_are_bounded(told: Told) -> None:
    for number in range(CAMPAIGNS + 5):
        stored = told.ledger.create_campaign(Campaign.model_validate({**DEFINITION, "name": f"c{number}"}))
        told.ledger.append(
            ModelCalled(
                campaign_id=stored.id, call="c", role="voter", seat="s", prompt="p", edition="1", model_id=f"m{number}"
            )
        )
    found = samples(prometheus_text(told.ledger))
    assert len(found["ratchet_campaign_cycle"]) == CAMPAIGNS
    assert len(found["ratchet_model_cost_usd_total"]) == 21
    calls = found["ratchet_model_calls_total"]
    assert calls[labels(model="other", role="voter", result="answered")] == 7
    assert sum(calls.values()) == CAMPAIGNS + 5 + 4  # none is lost in `other`


def test_names_and_types_are_those_of_openmetrics_too(told: Told) -> None:
    text = prometheus_text(told.ledger)
    for family in parsed(text):
        assert family.documentation, family.name
        assert all(s.name.endswith("_total") == (family.type == "counter") for s in family.samples), family.name
    # OpenMetrics names a counter without its ending, and ends in a line of its own
    lines = [
        line.replace("_total ", " ", 1) if line.startswith("# ") else line for line in text.splitlines(keepends=True)
    ]
    names = {family.name for family in open_metrics("".join(lines) + "# EOF\n")}
    assert {"ratchet_jobs_finished", "ratchet_ledger_size_bytes"} <= names


def test_an_empty_ledger_has_metrics_too(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        assert samples(prometheus_text(ledger))["ratchet_cycles_finished_total"] == {labels(): 0}


@given(value=st.text(), number=st.floats(allow_nan=False))
def test_every_label_and_number_comes_back(value: str, number: float) -> None:
    family = Family("a_b", "gauge", "Help \\ me\nout.", (((value,), number),), ("name",))
    (found,) = parsed(exposition([family]))
    assert found.samples[0].value == number
    if "\r" not in value and not set(value) & set("\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"):
        # the parser in Python cuts lines there too; Prometheus' own cuts at \n only
        assert found.samples[0].labels == {"name": value.encode("utf-8", "replace").decode()}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian's package prometheus) is not installed")
def test_promtool_has_nothing_to_say(told: Told) -> None:
    text = prometheus_text(told.ledger)
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
