"""`demo`: the breast-cancer campaign, made small enough for a minute on two cores; always a new one."""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path
from typing import Any

import service
from core.errors import NotFoundError, UnavailableError
from service.commands.run import model_choice, run_stored
from service.commands.starting import may_run
from service.output import Output
from service.state import campaign_defaults, campaign_overrides, open_folder

__all__ = ["demo"]

CAMPAIGN = Path("campaigns/breast_cancer/campaign.yaml")
SIZE = {
    "budget": {"cycles": 4},
    "council.jobs_per_cycle": 2,
    "noise": {"repeats": 3, "verdict_pairs": 4},
    "control": ["random"],
}
"""About 25 jobs of two to four seconds, so that two cores need less than a minute."""


def demo(args: argparse.Namespace, output: Output) -> int:
    """`demo`"""
    path = Path(service.__file__).resolve().parent.parent / CAMPAIGN
    if not path.exists():
        raise NotFoundError(
            "the example campaigns are not there", where=str(path), hint="run it from a copy of the repository"
        )
    if importlib.util.find_spec("sklearn") is None:
        raise UnavailableError(
            "the demo trains models with scikit-learn, which is not installed",
            where=str(path),
            hint="pip install scikit-learn; `init` writes a campaign that needs Python alone",
        )
    output.say("a real campaign: every job below trains and cross-validates a classifier of tumours (2–4 s each)")
    from graph.campaign import find_or_create
    from graph.loading import load_campaign

    campaign = load_campaign(
        path, {**SIZE, **campaign_overrides(args), **model_choice(args)}, defaults=campaign_defaults(args)
    )
    folder = open_folder(args)
    with folder.open_ledger(check=True) as ledger:
        may_run(_as_run(args), ledger, campaign)
        stored, _ = find_or_create(ledger, campaign, new=True)
        code = run_stored(_as_run(args), output, folder, ledger, stored)
    if code == 0:
        output.data(output.at_home(_afterwards(stored.id, with_model=args.model not in (None, "none"))))
    return code


def _as_run(args: argparse.Namespace) -> argparse.Namespace:
    """The options that `run` has and `demo` has not."""
    options: dict[str, Any] = {"report": None, "trust_code": False}
    return argparse.Namespace(**{**options, **vars(args)})


def _afterwards(campaign_id: str, *, with_model: bool) -> str:
    alone = "" if with_model else "Rules and a statistical model decided here, not a language model.  "
    return (
        f"\n{alone}What to try next:\n"
        f"  python run_graph.py history {campaign_id}    every trial\n"
        "  python run_graph.py why PROPOSAL         who proposed it, the votes, prediction against outcome\n"
        f"  python run_graph.py agents {campaign_id}    who sat in the council, and who was right\n"
        "  python run_graph.py memory search mlp    what was remembered\n"
        "  python run_graph.py init mine            a campaign of your own"
    )
