"""Carrying out a code or comment proposal: the files and their comments, in a folder of its own.

The files of the user are never touched: what is written lies in `experiments/<id>/`, to be looked at, compared and
copied.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from agents.registry import executor
from agents.roles import Executor, Kit
from agents.voters.reward import mean_reward
from core.errors import ConfigError
from core.files import write_private
from core.ids import content_id
from core.records import Outcome, Proposal

__all__ = ["annotate"]


@executor("annotate", kinds=("code", "comment"))
def annotate() -> Executor:
    """Writes the files, commented, and `comments.json`, into the proposal's own folder; once, by an effect's key.

    The outcome's metric is the reward of the comments.  It neither runs nor tests the code.
    """

    async def execute(proposal: Proposal, kit: Kit) -> Outcome:
        assert kit.effects is not None
        assert kit.experiments_folder is not None
        name = content_id("a", kit.campaign_id, proposal.id, *proposal.content)
        effect = kit.effects.begin(name, "annotation", kit.campaign_id, {"proposal": proposal.id})
        if effect.state == "finished":
            return Outcome.model_validate_json(effect.result)
        outcome = await asyncio.to_thread(_write, proposal, kit.experiments_folder / name)
        kit.effects.finish(effect, outcome.model_dump_json())
        return outcome

    return execute


def _write(proposal: Proposal, folder: Path) -> Outcome:
    """Everything written, or the reason why not.  Writing it again changes nothing."""
    told = {"proposal_id": proposal.id, "job_id": folder.name, "config": {}, "seed": 0}
    try:
        written = {path: _commented(proposal, path) for path in proposal.files}
        earned = mean_reward(proposal)
    except ConfigError as error:
        return Outcome(status="failed", cause="not_commented", reason=error.what, **told)
    for path, text in written.items():
        write_private(folder / path, text)
    write_private(folder / "comments.json", json.dumps(proposal.comments, indent=1, sort_keys=True) + "\n")
    return Outcome(
        status="ok", metrics={} if earned is None else {"reward": earned}, reason=f"written to {folder}", **told
    )


def _commented(proposal: Proposal, path: str) -> str:
    """The file with its comments; those of a code proposal stand in its text already."""
    if proposal.kind == "code" or path not in proposal.comments:
        return proposal.files[path]
    from agents.feedback.records import CodeComments
    from agents.feedback.writing import insert_comments  # libcst takes half a second to import

    return insert_comments(proposal.files[path], CodeComments.model_validate(proposal.comments[path]))
