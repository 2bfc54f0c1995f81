"""`status`, `history`, `show`: looking, while another process may be running."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

import yaml

from core.errors import NotFoundError
from graph.model_use import answers, use_line
from service.escape import escaped
from service.live_rows import improvements_text
from service.output import Output
from service.progress import short
from service.state import find_subject, local_desk, open_folder, pick_campaign
from service.tables import columns, duration, fields

if TYPE_CHECKING:
    from memory.ledger import Ledger, StoredCampaign

__all__ = ["history", "show", "status"]


def status(args: argparse.Namespace, output: Output) -> int:
    """`status [ID]`"""
    from service.operations import campaigns
    from service.operations.ids import OfCampaign

    with local_desk(args) as desk:
        stored = pick_campaign(desk.ledger, args.id)
        told = campaigns.status(OfCampaign(campaign=stored.id), desk).model_dump(mode="json")
        output.result(told, _standing_text(told, desk.ledger.clock()))
    return 0


def history(args: argparse.Namespace, output: Output) -> int:
    """`history [ID]`: of a campaign on a live service its improvements, of another one its trials."""
    from service.operations import campaigns

    with local_desk(args) as desk:
        if args.id is None:
            told = campaigns.listing(campaigns.Listing(), desk, every=True).model_dump(mode="json", exclude={"next"})
            output.result(told, _campaigns_text(told["campaigns"]))
            return 0
        stored = pick_campaign(desk.ledger, args.id)
        told = campaigns.trials(campaigns.TrialsOf(campaign=stored.id), desk, every=True).model_dump(
            mode="json", exclude={"next"}
        )
        live = stored.definition.kind == "live"
        output.result(told, improvements_text(told) if live else _trials_text(told))
    return 0


def show(args: argparse.Namespace, output: Output) -> int:
    """`show ID`"""
    with open_folder(args, must_exist=True).open_ledger() as ledger:
        told = _whole(ledger, args.id)
        text = yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=100)
        output.result(told, escaped(text.rstrip()))
    return 0


def _whole(ledger: Ledger, name: str) -> dict[str, Any]:
    """The record of the campaign, proposal or job of that name, or the only one whose id begins so."""
    from memory.history import History
    from service.views import job_record, proposal_record

    if (campaign := _campaign(ledger, name)) is not None:
        return _whole_campaign(ledger, campaign)
    campaign_id, subject = find_subject(ledger, name)
    stored = ledger.campaign(campaign_id)
    if subject.startswith("p-"):
        record = proposal_record(History.load(ledger, campaign_id), subject)
    else:
        record = job_record(ledger, stored, subject)
    return {"kind": "proposal" if subject.startswith("p-") else "job", "id": subject, "campaign": campaign_id, **record}


def _campaign(ledger: Ledger, name: str) -> StoredCampaign | None:
    try:
        return pick_campaign(ledger, name)
    except NotFoundError:
        return None


def _whole_campaign(ledger: Ledger, stored: StoredCampaign) -> dict[str, Any]:
    from graph.summary import summarise
    from memory.history import History

    past = History.load(ledger, stored.id)
    reason = getattr(past.ended, "reason", "")
    return {
        "kind": "campaign",
        "id": stored.id,
        **summarise(stored, past, status=stored.status, reason=reason),
        "sessions": stored.sessions,
        "fingerprint": stored.fingerprint,
        "definition": stored.definition.model_dump(mode="json"),
    }


# ------------------------------------------------------------------------ text


def _standing_text(told: dict[str, Any], now: float) -> str:
    metric, baseline, best, jobs = told["objective"]["metric"], told["baseline"], told["best"], told["jobs"]
    state = told["status"]
    if told["pid"]:
        state += f", process {told['pid']}, for {duration(now - told['started_at'])}"
    elif told["ended"]:
        state += f": {told['ended']}"
    rows: list[tuple[str, object]] = [
        (told["campaign"], state),
        ("since", f"{_date(told['started_at'])}, last change {duration(now - told['updated_at'])} ago"),
        ("cycle", f"{told['cycle']} of {told['cycles']}, {told['finished_cycles']} whole"),
    ]
    if told["fork_of"]:
        rows.append(("fork of", f"{told['fork_of']['campaign']} at {told['fork_of']['at']}"))
    if baseline:
        rows.append(("baseline", f"{metric} {baseline['value']:.5g} ± {baseline['sd']:.2g}"))
    if best:
        gain = "" if best["gain"] is None else f" ({best['gain']:+.3g} against the baseline)"
        rows.append(("best", f"{metric} {best['value']:.5g}{gain}, {best['proposal']} by {best['proposer']}"))
        rows.append(("", short(best["config"])))
    elif told["improvements"] is None:
        rows.append(("best", "none yet"))
    if told["improvements"] is not None:
        improved = [f"{count} {name.replace('_', ' ')}" for name, count in told["improvements"].items()]
        rows.append(("improvements", ", ".join(improved) or "none yet"))
    else:
        done = ", ".join(f"{count} {name}" for name, count in jobs.items() if count or name == "ok")
        rows.append(("jobs", f"{done}; {len(told['running'])} running"))
    rows += [("", f"{row['job']} {row['purpose']}, {duration(row['seconds'])}") for row in told["running"]]
    if told["model"]:
        rows.append(("model", use_line(told["model"])))
        rows += [("", f"{role}: {_role_use(use)}") for role, use in told["model"]["roles"].items()]
    if waiting := told["waiting"]:
        what = f"{len(waiting)} wait for a person" if len(waiting) > 1 else "1 waits for a person"
        rows.append(("questions", f"{what}: `python run_graph.py inbox`"))
        rows += [("", f"{one['id']} {one['tier']} risk: {one['title']}") for one in waiting]
    if told["resume"]:
        rows.append(("go on with", told["resume"]))
    return fields(rows)


def _role_use(use: dict[str, Any]) -> str:
    tokens = use["input_tokens"] + use["output_tokens"]
    failed = f", {use['failed']} failed" if use["failed"] else ""
    return f"{answers(use['calls'])}{failed}, {tokens:,} tokens, ${use['cost_usd']:.4f}, {duration(use['seconds'])}"


def _campaigns_text(rows: list[dict[str, Any]]) -> str:
    heads = ("campaign", "status", "cycles", "trials", "metric", "baseline", "best", "verdict", "started")
    cells = [[row[h] for h in heads[:-1]] + [_date(row["started_at"])] for row in rows]
    if not any(row["fork_of"] for row in rows):
        return columns(cells, heads)
    forks = [f"{row['fork_of']['campaign']} at {row['fork_of']['at']}" if row["fork_of"] else "" for row in rows]
    return columns([[*row, fork] for row, fork in zip(cells, forks, strict=True)], (*heads, "fork of"))


def _trials_text(told: dict[str, Any]) -> str:
    rows = [
        (t["cycle"], t["proposal"], t["proposer"], t["value"], t["status"], t["change"] or short(t["config"], 200))
        for t in told["trials"]
    ]
    if told["baseline"] is not None:
        rows.insert(0, (0, "baseline", None, told["baseline"], "ok", ""))
    if not rows:
        return f"{told['campaign']}: nothing was measured yet"
    return columns(rows, ("cycle", "proposal", "proposer", told["metric"], "status", "config or change"))


def _date(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
