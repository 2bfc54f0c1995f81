"""Comments for files beside the campaign, such as its training script."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from agents.registry import proposer
from agents.roles import Case, Kit, Proposer
from core.records import Proposal, lies_below

__all__ = ["commenter"]


@proposer("commenter")
def commenter(files: Sequence[str]) -> Proposer:
    """Proposes comments on each of `files` (relative to the campaign's folder), one a cycle, until all have some.

    A file is commented again when its content has changed.  The draft is a first one, made from the facts of the code;
    it is sharpened before the vote.  Raises ConfigError for a file that cannot be read or analysed, ValueError for a
    path that leaves the campaign's folder.
    """

    for path in files:
        if not lies_below(path):
            raise ValueError(f"{path!r} is not a path below the campaign's folder")

    async def propose(case: Case, kit: Kit) -> Sequence[Proposal]:
        from agents.feedback.generator import generate
        from agents.feedback.sources import read_source

        done = {(path, text) for earlier in case.applied for path, text in earlier.files.items()}
        for path in files:
            text = await asyncio.to_thread(read_source, Path(case.campaign.here) / path)
            if (path, text) in done:
                continue
            draft = await asyncio.to_thread(generate, path, text, ())
            rationale = f"{path} has no comments yet; a first draft of {len(draft.summaries)} summaries"
            return [
                case.propose_files(
                    "commenter", "comment", {path: text}, rationale, comments={path: draft.model_dump(mode="json")}
                )
            ]
        return []

    return propose
