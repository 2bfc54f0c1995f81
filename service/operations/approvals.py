"""What waits for a person: the questions, and answering one.  The first answer counts, whatever door it comes from."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, ValidationError

from core.approvals import TEXT_CHARACTERS, Answer, AnswerKind, Scope, State
from core.approvals import Approval as Question
from core.validation import config_error
from memory.approvals import Approvals
from service.operations.desk import Desk
from service.operations.ids import CampaignId, Paged
from service.operations.operation import Taken, Told
from service.operations.pages import page

__all__ = ["Answering", "ApprovalId", "ApprovalPage", "ApprovalTold", "Inbox", "OneApproval", "answer", "get", "inbox"]

ApprovalId = Annotated[str, Field(pattern=r"^a-[0-9a-f]{10}$", description="such as a-3f9a12bc04")]


class ApprovalTold(Told):
    """A question, what is shown with it, and its answer.  `shown_hash` is to be sent with an answer."""

    id: str
    campaign_id: str
    cycle: int
    asks: str
    subject: str
    kind: str
    asker: str
    title: str
    what: str
    why: str
    votes: list[str]
    risk: float
    tier: str
    shown: dict[str, Any]
    without_answer: str
    allowed: list[AnswerKind]
    shown_hash: str
    created_at: float
    expires_at: float | None
    state: State
    answer: dict[str, Any] | None
    used_at: float | None


class ApprovalPage(Told):
    approvals: list[ApprovalTold]
    next: str | None = None


class Inbox(Paged):
    """The questions, the oldest first; all of them with `waiting=false`."""

    campaign: CampaignId | None = None
    waiting: bool = True


def inbox(taken: Inbox, desk: Desk) -> ApprovalPage:
    known = Approvals(desk.ledger).of(taken.campaign)
    later, _ = page(known, lambda one: one.id, None, taken.after)  # `after` may have been answered meanwhile
    wanted = [one for one in later if one.state == "waiting" or not taken.waiting]
    chosen, following = page(wanted, lambda one: one.id, taken.limit, None)
    return ApprovalPage(approvals=[_told(one) for one in chosen], next=following)


class OneApproval(Taken):
    approval: ApprovalId


def get(taken: OneApproval, desk: Desk) -> ApprovalTold:
    return _told(Approvals(desk.ledger).get(taken.approval))


class Answering(OneApproval):
    """Yes (`accept`), yes in another form (`edit`, with the whole `config`), no with a word (`respond`), no (`ignore`).

    `shown_hash` is that of the question as it was shown to whoever answers.
    """

    shown_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    kind: AnswerKind
    config: dict[str, Any] = Field(default={}, description="of `edit`: the whole configuration that is to run")
    text: Annotated[str, Field(max_length=TEXT_CHARACTERS)] = ""
    remember: Scope | None = None


def answer(taken: Answering, desk: Desk) -> ApprovalTold:
    from graph.approvals import open_approvals

    Approvals(desk.ledger).get(taken.approval)
    try:
        given = Answer(kind=taken.kind, config=taken.config, text=taken.text, remember=taken.remember)
    except ValidationError as error:
        raise config_error(error, Answer, "answer") from error
    who, route = desk.asker.actor, desk.asker.route
    door = "mcp" if route.startswith("mcp") else "rest" if " /" in route else "command line"
    kept = open_approvals(desk.ledger).answer(taken.approval, given, by=who, door=door, shown_hash=taken.shown_hash)
    return _told(kept)


def _told(asked: Question) -> ApprovalTold:
    return ApprovalTold.model_validate(asked.model_dump(mode="json", exclude={"version", "nonce"}))
