"""A regression that is planted on purpose, to see that the watch takes it back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from agents.registry import proposer
from agents.roles import Case, Kit, Proposer
from core.errors import ConfigError
from core.records import Proposal

__all__ = ["PLANTED", "is_planting", "planted"]

PLANTED = "planted"
"""The proposer's name, and what the opportunity of its proposals is called."""


@proposer(PLANTED)
def planted(folder: str) -> Proposer:
    """Proposes the files below `folder`, relative to the campaign's, in the campaign's last cycle.

    Its proposal says that it is planted, and passes through the same votes, checks, rules and watch as any other.
    """

    async def propose(case: Case, kit: Kit) -> Sequence[Proposal]:
        assert kit.live is not None
        if not is_planting(case):
            return []
        files = await asyncio.to_thread(_read, Path(case.campaign.here) / folder)
        return [
            case.propose_files(
                PLANTED,
                "code",
                files,
                f"a PLANTED regression from {folder}: it is meant to be caught",
                operator=PLANTED,
                opportunity=PLANTED,
                made_from=kit.live.hashes(list(files)),
                source="human",
            )
        ]

    return propose


def is_planting(case: Case) -> bool:
    """Whether this is the cycle in which the campaign plants its regression: nothing else is proposed in it."""
    seats = [use.use for use in case.campaign.council.proposers]
    return PLANTED in seats and case.cycle >= case.campaign.budget.cycles


def _read(folder: Path) -> dict[str, str]:
    files = {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in sorted(folder.rglob("*.py"))}
    if not files:
        raise ConfigError("there is no planted regression", where=str(folder), hint="files below it, as in the service")
    return files
