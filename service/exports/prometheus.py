"""What the ledger says, as metrics for Prometheus: counts over all campaigns, values of the newest ones.

Labels are bounded: statuses, purposes, decisions, roles and types are lists of ours; of campaigns the newest
`CAMPAIGNS` are named, of models the first twenty.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping

from memory.counts import CampaignFigures, Counts
from memory.improvement_counts import ImprovementCounts
from memory.ledger import Ledger
from service.exports.exposition import CONTENT_TYPE, Family, Sample, exposition

__all__ = ["CAMPAIGNS", "CONTENT_TYPE", "prometheus_text"]

CAMPAIGNS = 20
"""Campaigns that have samples of their own: those that were worked on last."""

_counted: weakref.WeakKeyDictionary[Ledger, Counts] = weakref.WeakKeyDictionary()
"""One an open ledger: the first call reads it whole, later ones what came since."""
_improved: weakref.WeakKeyDictionary[Ledger, ImprovementCounts] = weakref.WeakKeyDictionary()


def prometheus_text(ledger: Ledger) -> str:
    """The metrics of the ledger in Prometheus' text format; serve them as `CONTENT_TYPE`.

    May be called from any thread.  Raises StorageError, BusyError.
    """
    counts = _counted.setdefault(ledger, Counts(ledger))
    newest = counts.catch_up(CAMPAIGNS)
    improvements = _improved.setdefault(ledger, ImprovementCounts(ledger))
    improvements.catch_up()
    live = _improvements(improvements, ledger.clock())
    return exposition([*_council(counts), *_models(counts), *_ledger(counts), *_campaigns(newest), *live])


def _council(counts: Counts) -> list[Family]:
    job = ("status", "purpose")
    return [
        Family("ratchet_campaigns", "gauge", "Campaigns by status.", _one(counts.campaigns), ("status",)),
        Family(
            "ratchet_cycles_finished_total",
            "counter",
            "Cycles that came to their end.",
            (((), counts.cycles_finished),),
        ),
        Family(
            "ratchet_jobs_started_total",
            "counter",
            "Attempts at jobs by purpose.",
            _one(counts.jobs_started),
            ("purpose",),
        ),
        Family("ratchet_jobs_finished_total", "counter", "Jobs by status and purpose.", _several(counts.jobs), job),
        Family("ratchet_job_seconds_total", "counter", "Time that jobs took.", _several(counts.job_seconds), job),
        Family(
            "ratchet_job_cpu_seconds_total",
            "counter",
            "Processor time that jobs took.",
            _several(counts.job_cpu_seconds),
            job,
        ),
        Family(
            "ratchet_approvals_waiting",
            "gauge",
            "Questions to a person that nobody has answered.",
            (((), counts.approvals_waiting),),
        ),
        Family("ratchet_proposals_total", "counter", "Proposals by kind.", _one(counts.proposals), ("kind",)),
        Family(
            "ratchet_rulings_total",
            "counter",
            "Proposals by the supervisor's decision.",
            _one(counts.rulings),
            ("decision",),
        ),
        Family("ratchet_votes_total", "counter", "Votes, by whether they approve.", _one(counts.votes), ("approves",)),
        Family(
            "ratchet_verdicts_total",
            "counter",
            "Comparisons of best and baseline on fresh seeds, by answer.",
            _one(counts.verdicts),
            ("answer",),
        ),
        Family(
            "ratchet_role_failures_total",
            "counter",
            "Proposers and voters that raised an error.",
            _one(counts.failures),
            ("role",),
        ),
    ]


def _models(counts: Counts) -> list[Family]:
    return [
        Family(
            "ratchet_model_calls_total",
            "counter",
            "Calls of language models by what came of them.",
            _several(counts.model_calls),
            ("model", "role", "result"),
        ),
        Family(
            "ratchet_model_tokens_total",
            "counter",
            "Tokens that language models read and wrote.",
            _several(counts.model_tokens),
            ("model", "direction"),
        ),
        Family(
            "ratchet_model_cost_usd_total",
            "counter",
            "US dollars that language models cost.",
            _one(counts.model_usd),
            ("model",),
        ),
        Family(
            "ratchet_model_seconds_total",
            "counter",
            "Time that calls of language models took.",
            _one(counts.model_seconds),
            ("model",),
        ),
    ]


def _ledger(counts: Counts) -> list[Family]:
    return [
        Family("ratchet_events_total", "counter", "Events in the ledger by type.", _one(counts.events), ("type",)),
        Family(
            "ratchet_audit_decisions_total",
            "counter",
            "Decisions of the policy.",
            _several(counts.audited),
            ("action", "decision"),
        ),
        Family("ratchet_ledger_size_bytes", "gauge", "What the ledger takes on the disk.", (((), counts.bytes),)),
    ]


def _campaigns(newest: list[CampaignFigures]) -> list[Family]:
    best = tuple(((c.id, c.metric), c.best) for c in newest if c.best is not None)
    baseline = tuple(((c.id, c.metric), c.baseline) for c in newest if c.baseline is not None)
    of = ("campaign", "metric")
    return [
        Family("ratchet_campaign_best_value", "gauge", "The last best that was told, in its own metric.", best, of),
        Family(
            "ratchet_campaign_baseline_value", "gauge", "The mean of the baseline, in its own metric.", baseline, of
        ),
        Family(
            "ratchet_campaign_cycle",
            "gauge",
            "The last cycle that came to its end.",
            tuple(((c.id,), c.last_cycle) for c in newest),
            ("campaign",),
        ),
        Family(
            "ratchet_campaign_updated_timestamp_seconds",
            "gauge",
            "When a campaign was last started or ended.",
            tuple(((c.id,), c.updated_at) for c in newest),
            ("campaign",),
        ),
    ]


def _improvements(counts: ImprovementCounts, now: float) -> list[Family]:
    """The figures of live services, by their public names with Prometheus' ending of counters, and the alarms."""
    counters = {
        "improvement_cycles_started": "Improvement cycles of live services that were begun.",
        "improvement_cycles_completed": "Those that came to their end.",
        "improvement_cycles_failed": "Those that an error has ended.",
        "improvements_deployed": "Improvements that were put live.",
        "improvements_rolled_back": "Those that were taken back.",
        "cycle_duration_seconds": "Time that completed cycles took.",
        "opportunities_identified": "Weaknesses found in telemetry.",
        "impact_score_total": "Impact scores of the improvements that stayed live.",
        "llm_tokens_used": "Tokens that language models read and wrote for them.",
        "cloudwatch_api_calls": "Requests made of AWS CloudWatch.",
    }
    alarms = tuple(((name,), float(stands)) for name, stands in counts.alarms(now).items())
    return [
        *(
            Family(f"{name.removesuffix('_total')}_total", "counter", text, (((), getattr(counts, name)),))
            for name, text in counters.items()
        ),
        Family(
            "improvement_last_cycle_seconds", "gauge", "Time that the last cycle took.", (((), counts.last_cycle_s),)
        ),
        Family("improvement_alarm", "gauge", "1 while an alarm on the cycles stands.", alarms, ("alarm",)),
    ]


def _one(counted: Mapping[str, float]) -> tuple[Sample, ...]:
    return tuple(((name,), counted[name]) for name in sorted(counted))


def _several(counted: Mapping[tuple[str, ...], float]) -> tuple[Sample, ...]:
    return tuple((names, counted[names]) for names in sorted(counted))
