"""Sharpening in the council: the feedback subgraph works on a code or comment proposal before anybody votes on it.

The discriminator scores the draft, the agitator says what is missing, the generator writes it, and the best round is
kept.  Comments are all that changes: those of a code proposal are written into its files, whose syntax trees stay.
"""

from __future__ import annotations

import asyncio
import math
from contextvars import Context
from dataclasses import dataclass

from agents.feedback.assistants import AssistantConfig
from agents.feedback.facts import module_facts
from agents.feedback.loop import CodeFeedbackLoop
from agents.feedback.model_engines import Part, assistants_with
from agents.feedback.records import CodeComments, IterationRecord, ScopeSummary
from core.campaign import Campaign
from core.errors import ConfigError
from core.events import ProposalSharpened
from core.models import Model
from core.records import Proposal
from graph.feedback import FeedbackGraph
from graph.seat_models import SeatModels
from prompts import render

__all__ = ["ROUNDS", "loop_with", "sharpen"]

ROUNDS = 3
"""At most so many rounds a file; a draft that nothing more is gained on takes fewer."""


@dataclass(frozen=True)
class _Sharpened:
    """One file: its text and comments after the kept round, and the rewards of the draft and of that round."""

    text: str
    comments: CodeComments
    best: IterationRecord
    before: float
    rounds: int


def loop_with(models: SeatModels, campaign: Campaign, cycle: int, seed: int) -> CodeFeedbackLoop:
    """A loop whose three parts ask the campaign's models, `model.roles` by part; to be made on the loop that runs."""
    loop = CodeFeedbackLoop()

    def opened(part: Part, _own: str, _config: AssistantConfig) -> Model | None:
        return models.named(campaign.model.roles.get(part, campaign.model.use), part, part, cycle, seed)

    loop.generator, loop.discriminator, loop.agitator = assistants_with(opened, render, brief=loop.briefing)
    return loop


async def sharpen(proposal: Proposal, loop: CodeFeedbackLoop | None = None) -> ProposalSharpened:
    """The proposal with the best comments that were found, under its own id.

    Raises ConfigError when none of its files can be analysed; one of several that cannot is left as it is.
    """
    loop, graph = loop or CodeFeedbackLoop(), FeedbackGraph()
    files, comments = dict(proposal.files), dict(proposal.comments)
    done: list[_Sharpened] = []
    refused: ConfigError | None = None
    for path, text in proposal.files.items():
        draft = CodeComments.model_validate(comments[path]) if path in comments else None
        try:
            # a context of its own: else the subgraph would take up the cycle's checkpoints and its request to stop
            rounds = graph.run(loop, path, text, ROUNDS, draft=draft)
            records = await asyncio.create_task(rounds, context=Context())
            one = await asyncio.to_thread(_kept, loop, path, text, records, proposal.kind == "code")
        except ConfigError as error:
            refused = error
            continue
        files[path], comments[path] = one.text, one.comments.model_dump(mode="json")
        done.append(one)
    if refused is not None and not done:
        raise refused
    return ProposalSharpened(
        campaign_id=proposal.campaign_id,
        cycle=proposal.cycle,
        proposal=proposal.model_copy(update={"files": files, "comments": comments}),
        before=math.fsum(one.before for one in done) / len(done),
        after=math.fsum(one.best.discriminator_score.reward for one in done) / len(done),
        rounds=max(one.rounds for one in done),
        guidance=tuple(dict.fromkeys(asked for one in done for asked in one.best.guidance)),
    )


def _kept(loop: CodeFeedbackLoop, path: str, text: str, records: list[IterationRecord], write: bool) -> _Sharpened:
    best = loop.best(path) or records[-1]
    comments = best.comments
    if write:
        from agents.feedback.writing import insert_comments  # libcst takes half a second to import

        written = insert_comments(text, comments)
        text, comments = written, _moved(comments, text, written)
    return _Sharpened(
        text=text,
        comments=comments,
        best=best,
        before=records[0].discriminator_score.reward,
        rounds=len(records),
    )


def _moved(comments: CodeComments, before: str, after: str) -> CodeComments:
    """The comments at the lines of their functions and classes in a text that has more lines."""
    old, new = module_facts(before), module_facts(after)
    lines = {(a.line, a.qualname): b for a, b in zip(old.functions, new.functions, strict=True)}
    classes = {(a.line, a.name): b for a, b in zip(old.classes, new.classes, strict=True)}

    def at_its_place(one: ScopeSummary) -> ScopeSummary:
        found = lines.get((one.line, one.name)) or classes.get((one.line, one.name))
        return one if found is None else one.model_copy(update={"line": found.line, "end_line": found.end_line})

    return comments.model_copy(update={"summaries": tuple(map(at_its_place, comments.summaries))})
