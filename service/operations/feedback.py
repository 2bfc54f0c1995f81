"""The code feedback loop over a text: comments, how good they are, and wrong docstrings.  Nothing of it is executed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from service.operations.desk import Desk
from service.operations.operation import Taken, Told

if TYPE_CHECKING:
    from graph.feedback_models import FeedbackModels

__all__ = ["Code", "Feedback", "feedback"]

MOST_CHARACTERS = 200_000


Sentence = Annotated[str, Field(min_length=1, max_length=500)]


class Code(Taken):
    """A Python file as text."""

    code: Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS)]
    path: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}\.py$", description="what to call it; no file is read")
    ] = "code.py"
    iterations: Annotated[int, Field(ge=1, le=5)] = 2
    guidance: list[Sentence] = Field(default=[], max_length=10)


class Feedback(Told):
    """As `feedback --json` tells of a file; `comments` is what would be written into it."""

    path: str
    reward: float
    rewards: list[float]
    rounds: list[dict[str, Any]]
    guidance: list[dict[str, Any]]
    recalled: list[str]
    defects: list[dict[str, Any]]
    issues: list[dict[str, Any]]
    partial: list[dict[str, Any]]
    engine: str
    notes: list[str]
    stopped: str | None
    report: str
    comments: dict[str, Any]


def feedback(taken: Code, desk: Desk) -> Feedback:
    """By rules, or by the language model of the settings where one is named."""
    return asyncio.run(_run(taken, desk))


async def _run(taken: Code, desk: Desk) -> Feedback:
    from graph.feedback_workflow import FeedbackWorkflow
    from service.feedback.views import as_told

    with _models(desk.settings.model) as models:
        loop = None if models is None else models.loop()
        workflow = FeedbackWorkflow(desk.folder.workflow_runs, loop=loop)
        run = await workflow.run(taken.path, taken.iterations, code=taken.code, guidance=taken.guidance)
    best = run.best or run.records[-1]
    comments: Mapping[str, Any] = best.comments.model_dump(mode="json")
    return Feedback.model_validate({**as_told(run), "comments": comments})


@contextmanager
def _models(asked: str) -> Iterator[FeedbackModels | None]:
    if asked in ("", "none"):
        yield None
        return
    from graph.feedback_models import FeedbackModels

    models = FeedbackModels(asked, Path.cwd())
    try:
        yield models
    finally:
        models.close()
