"""From the words of the command line to the state folder and the campaign that are meant."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import yaml

from core.errors import NotFoundError, UsageError
from core.settings import Settings, load_settings

if TYPE_CHECKING:
    from memory.ledger import Ledger, StoredCampaign
    from memory.state_folder import StateFolder
    from service.operations.desk import Desk

__all__ = [
    "campaign_defaults",
    "campaign_overrides",
    "find_subject",
    "local_desk",
    "open_folder",
    "pick_campaign",
    "resume_command",
    "sets_of",
    "settings_of",
]


RUNNING = ("run", "resume", "evolve", "demo", "edit")
"""Commands in which `--set` may change the campaign, or the configuration that is edited, too."""


def settings_of(args: argparse.Namespace) -> Settings:
    """The settings in force for this call.  Raises ConfigError for a `--set` of something that is no setting."""
    sets = {k: v for k, v in sets_of(args).items() if args.command not in RUNNING or k in Settings.model_fields}
    flags = {"home": args.home, "control_plane_url": getattr(args, "control_plane", None)}
    return load_settings(flags, sets)


def campaign_overrides(args: argparse.Namespace) -> dict[str, Any]:
    """What `--set` and `--seed` change in the campaign: every key that is no setting of the program."""
    overrides = {key: value for key, value in sets_of(args).items() if key not in Settings.model_fields}
    if args.seed is not None:
        overrides["seed"] = args.seed
    return overrides


def campaign_defaults(args: argparse.Namespace) -> dict[str, Any]:
    """What the settings say where the campaign's file says nothing."""
    model = settings_of(args).model
    return {"model": model} if model else {}


def open_folder(args: argparse.Namespace, *, must_exist: bool = False) -> StateFolder:
    """The state folder.  With `must_exist`, NotFoundError when nothing was ever run there."""
    from memory.state_folder import StateFolder

    folder = StateFolder.of(settings_of(args))
    if must_exist and not folder.exists:
        raise NotFoundError(
            "nothing was run here yet",
            where=str(folder.home),
            hint="`python run_graph.py demo`, or --home to look elsewhere",
        )
    return folder


@contextmanager
def local_desk(args: argparse.Namespace) -> Iterator[Desk]:
    """The desk of the person at this machine.  Raises NotFoundError when nothing was ever run there."""
    from service.operations.desk import local_asker, open_desk

    open_folder(args, must_exist=True)
    with open_desk(settings_of(args), local_asker()) as desk:
        yield desk


def pick_campaign(ledger: Ledger, campaign_id: str | None, *, unfinished: bool = False) -> StoredCampaign:
    """The campaign of that id (or the only one whose id begins so); without an id the last one worked on."""
    known = ledger.campaigns()
    if campaign_id is None:
        chosen = [c for c in known if not unfinished or c.status not in ("finished", "failed")]
        if not chosen:
            what = "no campaign is unfinished" if known else "there is no campaign yet"
            raise NotFoundError(
                what, where=str(ledger.database.path or ""), hint="`python run_graph.py run CAMPAIGN.yaml`"
            )
        return chosen[-1]
    matching = [c for c in known if c.id.startswith(campaign_id)]
    return matching[0] if len(matching) == 1 else ledger.campaign(campaign_id)


def find_subject(ledger: Ledger, prefix: str) -> tuple[str, str]:
    """(campaign id, id) of the proposal or job that the prefix names.  Raises NotFoundError, of several too."""
    pattern = re.compile(r"[pj]-[0-9a-f]+")
    matches = ((campaign, pattern.match(subject)) for campaign, subject in ledger.subjects(prefix))
    found = {(campaign, match[0]) for campaign, match in matches if match and match[0].startswith(prefix)}
    if len(found) == 1:
        return found.pop()
    if not found:
        raise NotFoundError(
            f"there is no proposal or job {prefix!r}",
            where=str(ledger.database.path or ""),
            hint="`python run_graph.py history ID` lists the proposals of a campaign, `jobs` its jobs",
        )
    raise NotFoundError(
        f"{prefix!r} could be {len(found)} things",
        where=", ".join(sorted(name for _, name in found)[:6]),
        hint="write more of it",
    )


def resume_command(campaign_id: str) -> str:
    """The command that goes on with a campaign."""
    return f"python run_graph.py resume {campaign_id}"


def sets_of(args: argparse.Namespace) -> dict[str, Any]:
    """Every `--set` of the call, its value read as YAML.  Raises UsageError."""
    values: dict[str, Any] = {}
    for text in args.set or []:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError(
                f"--set {text!r} is not KEY=VALUE", where="command line", hint="such as --set limits.time_s=60"
            )
        try:
            values[key.strip()] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise UsageError(f"--set {text!r}: the value is not YAML", where="command line") from error
    return values
