"""The HTML report of a campaign: one file that works offline, and is the same for the same history."""

from __future__ import annotations

import shlex
from collections import defaultdict
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from agents.wording import describe_value
from core.campaign import Objective
from core.errors import StorageError
from core.files import write_atomically
from core.records import PATCH
from graph.campaign_file import campaign_file
from graph.model_use import use_line
from graph.summary import best_so_far, summarise
from memory.history import History
from memory.ledger import Ledger, StoredCampaign
from memory.state_folder import StateFolder
from service import charts, standings
from service.escape import escaped
from service.explain import Explanations
from service.figures import around, between, signed
from service.progress import short
from service.tables import calibration_line, duration

__all__ = ["render_report", "report_environment", "write_report"]


def write_report(folder: StateFolder, stored: StoredCampaign, history: History, out: Path | None = None) -> Path:
    """Write the report to `out` (default: reports/<campaign>.html of the state folder); answers where it is.

    The file is replaced whole or not at all.  Raises StorageError when it cannot be written.
    """
    with folder.open_ledger() as ledger:
        text = render_report(ledger, stored, history)
    path = out or folder.reports / f"{stored.id}.html"
    try:
        write_atomically(path, text, mode=0o644)
    except StorageError as error:
        hint = "choose another place with --out"
        raise StorageError(f"cannot write the report: {error.what}", where=error.where, hint=hint) from error
    return path


def render_report(ledger: Ledger, stored: StoredCampaign, history: History) -> str:
    """The report as HTML."""
    return report_environment().get_template("report.html").render(_contents(ledger, stored, history))


def report_environment() -> Environment:
    """Strict, and everything that is not marked safe is escaped: for HTML, and against control characters."""
    environment = Environment(
        loader=PackageLoader("service"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: escaped(value) if type(value) is str else value,
    )
    environment.filters |= {
        "value": lambda value: "–" if value is None else describe_value(value),
        "score": lambda value: "–" if value is None else f"{value:.5g}",
        "short": lambda config: short(config, 400),
        "duration": duration,
    }
    environment.globals |= {
        "around": around,
        "signed": signed,
        "between": between,
        "calibration_line": calibration_line,
    }
    return environment


def _contents(ledger: Ledger, stored: StoredCampaign, history: History) -> dict[str, Any]:
    reason = getattr(history.ended, "reason", "")
    summary = summarise(stored, history, status=stored.status, reason=reason)
    explanations = Explanations(ledger, stored, history)
    cycles: list[dict[str, Any]] = [
        {
            "number": number,
            "direction": cycle.direction,
            "metrics": cycle.finished.metrics if cycle.finished else {},
            "best": _in_metric(stored, cycle.finished.metrics.get("best_score") if cycle.finished else None),
            "failures": [f.model_dump(include={"role", "name", "error"}) for f in cycle.failures],
            "proposals": [explanations.of(proposal_id) for proposal_id in _in_order(cycle)],
        }
        for number, cycle in sorted(history.cycles.items())
    ]
    told = [proposal for cycle in cycles for proposal in cycle["proposals"]]
    return {
        "summary": summary,
        "definition": stored.definition,
        "metric": summary["objective"]["metric"],
        "upwards": summary["objective"]["goal"] == "maximize",
        "headline": _headline(summary, history),
        "curve": _curve(stored, history),
        "trial_table": _trial_table(stored, history),
        "comparison": _comparison(summary),
        "interval": _interval(summary, history),
        "cycles": cycles,
        "voters": standings.voters(history),
        "proposers": standings.proposers(stored, history, told),
        "sources": standings.by_source(stored, history, told),
        "lessons": _lessons(history),
        "memories": _memories(cycles),
        "failures": _failures(history),
        "model": summary["model"] and {**summary["model"], "line": use_line(summary["model"])},
        "job_seconds": sum(outcome.duration_s for outcome in history.outcomes.values()),
        "repeat": _repeat(stored),
    }


def _headline(summary: dict[str, Any], history: History) -> dict[str, str]:
    """The verdict in one word and one sentence."""
    metric, best, baseline = summary["objective"]["metric"], summary["best"], history.baseline
    interval = best["interval"] if best else None
    if interval is not None:
        half = (interval["high"] - interval["low"]) / 2
        gain = f"{signed(interval['gain'], half)} {between(interval['low'], interval['high'])}"
        word = {"better": "Better than the baseline", "worse": "Worse than the baseline"}.get(
            interval["answer"], "Cannot tell it from the baseline"
        )
        sentence = (
            f"Mean {metric} {interval['mean']:.5g} against {interval['baseline_mean']:.5g} on {interval['pairs']} "
            f"fresh paired seeds: gain {gain}, {interval['level']:.0%} interval, above 0 is better."
        )
        return {"answer": interval["answer"].replace(" ", "-"), "word": word, "sentence": sentence}
    if best is not None:
        sentence = f"The best trial so far has {metric} {best['metrics'][metric]:.5g}; it was not compared with the "
        return {"answer": "open", "word": "No verdict yet", "sentence": sentence + "baseline on fresh seeds."}
    if baseline is not None:
        return {"answer": "open", "word": "No trial gave a result", "sentence": "Only the baseline was measured."}
    return {"answer": "failed", "word": "No result", "sentence": "The baseline gave no result."}


def _in_metric(stored: StoredCampaign, score: float | None) -> float | None:
    return None if score is None else stored.definition.objective.value(score)


def _in_order(cycle: Any) -> list[str]:
    """Proposals in the order of the rulings, then those that were not voted on."""
    return [
        *(p for p in cycle.rulings if p in cycle.proposals),
        *(p for p in cycle.proposals if p not in cycle.rulings),
    ]


def _curve(stored: StoredCampaign, history: History) -> dict[str, Any] | None:
    objective, baseline = stored.definition.objective, history.baseline
    scores = [e.score for e in history.experiments()]
    return charts.progress_chart(
        [None if s is None else objective.value(s) for s in scores],
        best_so_far(scores, objective),
        _arms(history, objective),
        None if baseline is None else objective.value(baseline.mean),
        0.0 if baseline is None else baseline.noise_sd,
        upwards=objective.goal == "maximize",
    )


def _arms(history: History, objective: Objective) -> dict[str, list[float | None]]:
    """The best so far of each control arm."""
    return {arm: best_so_far(list(told.scores), objective) for arm, told in history.controls.items()}


def _trial_table(stored: StoredCampaign, history: History) -> list[dict[str, Any]]:
    """The twin of the chart: trial, its value, the best so far, and the best so far of each control arm."""
    objective = stored.definition.objective
    trials = history.experiments()
    best = best_so_far([e.score for e in trials], objective)
    arms = list(_arms(history, objective).values())
    return [
        {
            "number": n + 1,
            "proposal": trials[n].proposal.id if n < len(trials) else None,
            "value": _in_metric(stored, trials[n].score) if n < len(trials) else None,
            "status": trials[n].outcome.status if n < len(trials) else None,
            "best": best[n] if n < len(best) else None,
            "controls": [arm[n] if n < len(arm) else None for arm in arms],
        }
        for n in range(max(len(trials), *map(len, arms), 0))
    ]


def _comparison(summary: dict[str, Any]) -> dict[str, Any] | None:
    best, baseline = summary["best"], summary["baseline"]
    if not best or not baseline:
        return None
    names = [name for name in dict.fromkeys([*best["config"], *baseline["config"]]) if name != PATCH]
    return {
        "parameters": [(n, best["config"].get(n), baseline["config"].get(n)) for n in names],
        "metrics": [(n, best["metrics"].get(n), v) for n, v in baseline["metrics"].items()],
        "noise_sd": baseline["noise_sd"],
        "seeds": len(baseline["seeds"]),
    }


def _interval(summary: dict[str, Any], history: History) -> dict[str, Any] | None:
    verdict = history.verdict
    if verdict is None or summary["best"] is None or summary["best"]["interval"] is None:
        return None
    differences = [a - b for a, b in zip(verdict.best_scores, verdict.baseline_scores, strict=True)]
    sign = 1 if summary["objective"]["goal"] == "maximize" else -1
    pairs = zip(verdict.seeds, verdict.best_scores, verdict.baseline_scores, differences, strict=True)
    return {
        "chart": charts.whiskers(differences, verdict.low, verdict.gain, verdict.high),
        "rows": [(seed, sign * a, sign * b, d) for seed, a, b, d in pairs],
        **summary["best"]["interval"],
    }


def _lessons(history: History) -> list[dict[str, Any]]:
    standing = {lesson.id for lesson in history.lessons()}
    return [
        {"lesson": lesson, "stands": lesson.id in standing}
        for lesson in history.all_lessons()
        if lesson.withdraws is None
    ]


def _memories(cycles: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each memory with who used it, the most used first."""
    used: dict[str, dict[str, Any]] = {}
    for proposal in (p for cycle in cycles for p in cycle["proposals"]):
        by = [(memory, f"{proposal['proposer']} for {proposal['proposal']}") for memory in proposal["memories"]]
        by += [
            (m, f"{vote['voter']} on {proposal['proposal']}") for vote in proposal["votes"] for m in vote["memories"]
        ]
        for memory, who in by:
            row = used.setdefault(memory["id"], {"id": memory["id"], "text": memory["text"], "used_by": []})
            row["used_by"].append(who)
    return sorted(used.values(), key=lambda row: -len(row["used_by"]))


def _failures(history: History) -> list[dict[str, Any]]:
    """Jobs without a result, grouped by their cause, the commonest first."""
    grouped: dict[str, list[Any]] = defaultdict(list)
    for outcome in history.outcomes.values():
        if outcome.status in ("failed", "stopped"):
            grouped[outcome.cause or outcome.status].append(outcome)
    return [
        {
            "cause": cause,
            "jobs": [outcome.job_id for outcome in outcomes],
            "reason": outcomes[0].reason,
            "config": outcomes[0].config,
        }
        for cause, outcomes in sorted(grouped.items(), key=lambda item: (-len(item[1]), item[0]))
    ]


def _repeat(stored: StoredCampaign) -> dict[str, str]:
    """The command that repeats the run, and the campaign as it was run, with every default written out."""
    definition = stored.definition.model_dump(mode="json", exclude={"here", "file", "version"}, exclude_none=True)
    if stored.definition.until is not None:
        until = stored.definition.until
        definition["until"] = f"{until.metric} {until.relation} {until.value!r}"
    command = ["python", "run_graph.py", "run", stored.definition.path, "--new", "--seed", str(stored.definition.seed)]
    text = yaml.safe_dump(
        {"schema": 1, **_without_versions(definition)}, sort_keys=False, allow_unicode=True, width=100
    )
    of_a_program = not stored.definition.file and not campaign_file(Path(stored.definition.here)).exists()
    return {"command": "" if of_a_program else shlex.join(command), "definition": text}


def _without_versions(value: Any) -> Any:
    """Plain data without the schema numbers of the records."""
    if isinstance(value, dict):
        return {key: _without_versions(v) for key, v in value.items() if key != "version"}
    return [_without_versions(v) for v in value] if isinstance(value, list) else value
