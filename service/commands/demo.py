"""`demo`: the breast-cancer campaign, made small enough for a minute on two cores; always a new one."""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import service
from core.errors import NotFoundError, UnavailableError
from service.commands.run import model_choice, run_stored
from service.commands.starting import may_run
from service.output import Output
from service.state import campaign_defaults, campaign_overrides, open_folder

if TYPE_CHECKING:
    from memory.ledger import Ledger
    from memory.state_folder import StateFolder

__all__ = ["demo"]

CAMPAIGN = Path("campaigns/breast_cancer/campaign.yaml")
SERVICE = Path("campaigns/slow_service/campaign.yaml")
SERVICE_SIZE = {
    "live.listen_s": 6,
    "live.max_improvements": 1,
    "live.settings": {"monitoring_duration_s": 8, "monitoring_interval_s": 0.5, "stream_interval_s": 0.5},
    "council.proposers": ["improver", {"use": "planted", "folder": "planted"}],
}
"""About 30 seconds of two cores, most of them the checks of two drafts."""
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
    folder, held = open_folder(args), Held.from_args(args)
    with folder.open_ledger(check=True) as ledger:
        may_run(_as_run(args), ledger, campaign)
        stored, _ = find_or_create(ledger, campaign, new=True)
        code = run_stored(_as_run(args), held, folder, ledger, stored)
        told = dict(held.value)
        if code == 0 and not args.no_service:
            code = _improve_service(args, held, folder, ledger)
            told["service"] = dict(held.value)
    if told:
        output.result(told)
    if code == 0:
        output.data(output.at_home(_afterwards(stored.id, with_model=args.model not in (None, "none"))))
    return code


class Held(Output):
    """Shows text at once; keeps the JSON of each part, so that the whole is one object."""

    value: Mapping[str, Any] = {}

    def result(self, value: Mapping[str, Any], text: str = "") -> None:
        self.value = value
        if text:
            self.data(text)


def _improve_service(args: argparse.Namespace, output: Output, folder: StateFolder, ledger: Ledger) -> int:
    """A running service is improved, by rules, and a PLANTED regression of it is caught and taken back."""
    from core.errors import SandboxError
    from graph.live_campaign import find_live
    from graph.loading import load_campaign
    from runtime.checks.tools import missing_tools
    from service.commands.improve import may_improve

    path = Path(service.__file__).resolve().parent.parent / SERVICE
    if missing := missing_tools():
        output.say(f"a live service is not improved here: the checks need {', '.join(missing)}")
        return 0
    output.say("a running service under load: what is slow in it is found, mended while requests run, and watched")
    campaign = load_campaign(path, SERVICE_SIZE)
    try:
        may_improve(args, ledger, campaign)
        stored, _ = find_live(ledger, campaign, new=True, planted=True)
        return run_stored(_as_run(args), output, folder, ledger, stored)
    except SandboxError as error:
        output.say(f"a live service is not improved here: {error.what}")
        return 0


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
        "  python run_graph.py init mine            a campaign of your own\n"
        "  python run_graph.py improve campaigns/slow_service    a running service, for longer"
    )
