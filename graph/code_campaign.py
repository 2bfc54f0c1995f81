"""A campaign of kind `code`: checked when it is loaded, its base taken when it begins, the same one ever after."""

from __future__ import annotations

from pathlib import Path

from agents import registry
from agents.code.paths import allows
from agents.code.population import Population
from agents.code.work import CodeWork
from core.campaign import Campaign, CodePlan
from core.errors import ConfigError, StorageError
from core.events import BaseTaken
from memory.ledger import Ledger, StoredCampaign
from memory.lineage import forked_from
from memory.state_folder import StateFolder
from runtime.workspaces import Base, files_below, open_base, take_base

__all__ = ["check_code", "open_code"]

MOST_CHARACTERS = 2_000_000
"""Of all files that may change, together."""


def check_code(campaign: Campaign, where: str) -> None:
    """The folder, the patterns and the judge's files are there, and the council is for code.  Raises ConfigError."""
    assert campaign.code is not None
    plan, here = campaign.code, Path(campaign.here)
    root = here / plan.root
    if not root.is_dir():
        raise ConfigError(
            "the folder of the code does not exist",
            where=f"{where}, code.root: {root}",
            hint="`root` is relative to the campaign's file",
        )
    for path in plan.judge:
        if not (root / path).exists():
            raise ConfigError(
                f"there is no {path!r} for the judge",
                where=f"{where}, code.judge",
                hint="name the files and folders below root that tests and benchmark are in",
            )
    for name, command in (("tests", plan.tests), ("benchmark", plan.benchmark)):
        for word in command:
            if word.endswith(".py") and not (root / word).exists():
                raise ConfigError(f"there is no file {word}", where=f"{where}, code.{name}", hint=f"it is below {root}")
    script = next((word for word in plan.benchmark if word.endswith(".py")), None)
    if script is not None and not plan.is_judged_by(script):
        raise ConfigError(
            f"the benchmark {script} is not among the judge's files",
            where=f"{where}, code.judge",
            hint="a candidate that may change its benchmark is not measured by it",
        )
    found = [path for path in files_below(root) if allows(plan.files, path)]
    if all(plan.is_judged_by(path) for path in found):
        raise ConfigError(
            "all that may change is the judge's" if found else f"no file matches {', '.join(plan.files)}",
            where=f"{where}, code.files",
            hint=f"patterns are relative to {root}, and leave out what git ignores and what `judge` names",
        )
    if not any("code" in registry.kinds_of("voter", use, here) for use in campaign.council.voting):
        raise ConfigError("nobody votes on code", where=f"{where}, council.voting", hint="seat change_novelty")
    if "code" not in registry.kinds_of("executor", campaign.council.executor, here):
        raise ConfigError(
            f"{campaign.council.executor.use} does not judge code",
            where=f"{where}, council.executor",
            hint="seat judge",
        )


def open_code(folder: StateFolder, ledger: Ledger, stored: StoredCampaign, *, trusted: bool = False) -> CodeWork:
    """The campaign's base, taken on the first call, with an empty population.

    Raises ConfigError when no file may change, StorageError when the base is not what it was.
    """
    campaign = stored.definition
    assert campaign.code is not None
    origin = forked_from(ledger, stored.id)
    place = folder.bases / (stored.id if origin is None else origin.root)  # it never changes, so a family shares it
    told = next((e for e in ledger.events(stored.id, types=(BaseTaken,)) if isinstance(e, BaseTaken)), None)
    base = take_base(Path(campaign.here) / campaign.code.root, place) if told is None else open_base(place)
    texts = changeable(base, campaign.code)
    if told is None:
        ledger.append(
            BaseTaken(
                campaign_id=stored.id,
                digest=base.digest,
                commit=base.commit,
                files=len(base.hashes),
                changeable=tuple(sorted(texts)),
            )
        )
    elif told.digest != base.digest or base.damaged():
        raise StorageError(
            "the copied code of the campaign is not what it was",
            where=str(place),
            hint="restore it, or start the campaign anew: --new",
        )
    return CodeWork(base, Population(texts, campaign.code, folder.artifacts), trusted)


def changeable(base: Base, plan: CodePlan) -> dict[str, str]:
    """The texts of the base's files that may change.  Raises ConfigError when there is none, or too much."""
    texts: dict[str, str] = {}
    for path in base.hashes:
        if plan.is_judged_by(path) or not allows(plan.files, path):
            continue
        try:
            texts[path] = (base.tree / path).read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            continue  # no text that could be changed
    if not texts:
        raise ConfigError(
            f"no file matches {', '.join(plan.files)}", where="code.files", hint="patterns are relative to code.root"
        )
    if (size := sum(map(len, texts.values()))) > MOST_CHARACTERS:
        raise ConfigError(
            f"the files that may change have {size:,} characters, more than {MOST_CHARACTERS:,}",
            where="code.files",
            hint="name fewer files",
        )
    return texts
