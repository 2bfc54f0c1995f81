"""The questions to a person, and their answers: any number of processes ask and answer, and the first answer counts.

A question is a row.  Its answer, its expiry and its use are each written once, by an UPDATE that only touches a row
where nothing of the kind stands yet; the event that tells of it is in the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from core.approvals import Answer, Approval, ApprovalRule
from core.errors import ApprovalError, ConfigError, NotFoundError
from core.events import (
    AnyEvent,
    ApprovalAnswered,
    ApprovalAsked,
    ApprovalExpired,
    ApprovalRuleForgotten,
    ApprovalRuleMade,
    ApprovalUsed,
)
from memory import schema
from memory.guidance import checked_text
from memory.ledger import Ledger

__all__ = ["Approvals", "Check"]

Check = Callable[[Approval, Answer], Answer]
"""Looks at an edited answer, and brings it into form.  Raises ConfigError for one that cannot run."""

INBOX = "`python run_graph.py inbox` shows what waits"


class Approvals:
    """The questions of one ledger.  Without `check` no answer can be `edit`."""

    def __init__(self, ledger: Ledger, check: Check | None = None) -> None:
        self._ledger = ledger
        self._check = check

    # ------------------------------------------------------------------ asking

    def ask(self, asked: Approval, *, expire_s: float | None = None, again: bool = False) -> Approval:
        """Park a question; the same question asked again is that one, with what was answered.

        It expires after `expire_s` seconds.  With `again`, one that was used up or has expired is asked anew, as
        another question with another id.
        """
        table, now = schema.approvals, self._ledger.clock()
        stands: list[Approval] = []

        def park(connection: sa.Connection) -> Sequence[AnyEvent]:
            query = sa.select(table).where(table.c.question == asked.question).order_by(table.c.nonce.desc()).limit(1)
            row = connection.execute(query).one_or_none()
            if row is not None:
                held = _approval(row, now)
                over = held.state == "used" or (held.expires_at is not None and held.expires_at <= now)
                if not (again and over):
                    stands.append(held)
                    return []
            fresh = asked if row is None else asked.asked_again(row.nonce + 1)
            fresh = fresh.model_copy(
                update={"created_at": now, "expires_at": None if expire_s is None else now + expire_s}
            )
            connection.execute(sa.insert(table).values(**_row(fresh)))
            stands.append(fresh)
            return [ApprovalAsked(campaign_id=fresh.campaign_id, cycle=fresh.cycle, approval=fresh)]

        self._ledger.change(park)
        return stands[0]

    # ----------------------------------------------------------------- looking

    def waiting(self, campaign_id: str | None = None) -> list[Approval]:
        """The open questions, oldest first."""
        return [approval for approval in self.of(campaign_id) if approval.state == "waiting"]

    def of(self, campaign_id: str | None = None, *, cycle: int | None = None) -> list[Approval]:
        """Every question there was, oldest first."""
        query = sa.select(schema.approvals).order_by(schema.approvals.c.position)
        if campaign_id is not None:
            query = query.where(schema.approvals.c.campaign_id == campaign_id)
        if cycle is not None:
            query = query.where(schema.approvals.c.cycle == cycle)
        now = self._ledger.clock()
        with self._ledger.database.read() as connection:
            return [_approval(row, now) for row in connection.execute(query)]

    def get(self, approval_id: str) -> Approval:
        """The question of that id, or the only one whose id begins so.  Raises NotFoundError."""
        table = schema.approvals
        query = sa.select(table).where(table.c.id.startswith(approval_id, autoescape=True)).limit(2)
        with self._ledger.database.read() as connection:
            rows = connection.execute(query).all()
        if len(rows) == 1 and approval_id:
            return _approval(rows[0], self._ledger.clock())
        what = f"there is no question {approval_id!r}" if not rows else f"{approval_id!r} could be several questions"
        raise NotFoundError(what, where=self._ledger.database.where, hint=INBOX)

    # --------------------------------------------------------------- answering

    def answer(self, approval_id: str, answer: Answer, *, by: str, door: str, shown_hash: str) -> Approval:
        """Give the answer, to what has the hash `shown_hash`; the question as it then stands.

        Raises NotFoundError; ConfigError or UsageError for an answer that this question does not take (it stays open);
        ApprovalError when it was answered, has expired, or shows something else.
        """
        asked = self.get(approval_id)
        if shown_hash != asked.shown_hash:
            raise ApprovalError(f"the answer is to something else than {asked.id} shows", where=asked.id, hint=INBOX)
        answer = self.checked(asked, answer)
        now = self._ledger.clock()
        given = answer.model_copy(update={"by": by, "door": door, "at": now})
        told: dict[str, Any] = {"campaign_id": asked.campaign_id, "cycle": asked.cycle}

        def keep(connection: sa.Connection) -> Sequence[AnyEvent]:
            values = {"answered_at": now, "answer": given.model_dump_json()}
            if not _set_once(connection, asked.id, now, **values):
                return _expired(connection, asked, now)
            events: list[AnyEvent] = [ApprovalAnswered(approval_id=asked.id, answer=given, **told)]
            if given.remember:
                rule = ApprovalRule.of(asked, given)
                events.append(ApprovalRuleMade(campaign_id=rule.campaign_id, rule=rule))
            return events

        kept = self._ledger.change(keep)
        if any(isinstance(event, ApprovalAnswered) for event in kept):
            return self.get(asked.id)
        raise _too_late(self.get(asked.id))

    def checked(self, asked: Approval, answer: Answer) -> Answer:
        """The answer in the form in which it would be kept.  Raises ConfigError or UsageError, as `answer` does."""
        if answer.kind not in asked.allowed:
            raise ConfigError(
                f"{asked.id} cannot be answered with {answer.kind}", where=asked.title, hint=", ".join(asked.allowed)
            )
        if answer.remember and asked.asks != "proposal":
            raise ConfigError("a yes to a privileged action cannot be remembered", where=asked.id, hint="say it once")
        if answer.kind == "respond":
            answer = answer.model_copy(update={"text": checked_text(answer.text)})
        if answer.kind == "edit":
            if self._check is None:
                raise ConfigError("an edited answer cannot be checked at this door", where=asked.id, hint=INBOX)
            answer = self._check(asked, answer)
        return answer

    def expire(self, campaign_id: str | None = None) -> list[Approval]:
        """Close the questions whose time is over; those that this call has closed."""
        now = self._ledger.clock()
        late = [
            a for a in self.of(campaign_id) if a.answer is None and a.expires_at is not None and a.expires_at <= now
        ]
        kept = self._ledger.change(lambda at: [event for one in late for event in _expired(at, one, now)])
        told = {event.approval_id for event in kept if isinstance(event, ApprovalExpired)}
        return [one for one in late if one.id in told]

    def use(self, approval_id: str, shown_hash: str, *, request: str = "") -> Approval:
        """Use up the yes to a privileged action, which must show `shown_hash`.  Raises ApprovalError, NotFoundError.

        A `request` that may be sent again until it is done goes on with the yes that it has used, until that expires.
        """
        asked = self.get(approval_id)
        if asked.asks != "action" or asked.shown_hash != shown_hash:
            raise ApprovalError(f"{asked.id} is a yes to something else", where=asked.title, hint=INBOX)
        table, now = schema.approvals, self._ledger.clock()

        def take(connection: sa.Connection) -> Sequence[AnyEvent]:
            row = connection.execute(sa.select(table).where(table.c.id == asked.id)).one()
            held = _approval(row, now)
            if not held.says_yes or (held.expires_at is not None and held.expires_at <= now):
                raise _no_yes(held, now)
            if held.used_at is not None:
                if request and request == self._used_for(held.id):
                    return []
                raise _no_yes(held, now)
            connection.execute(
                sa.update(table).where(table.c.id == asked.id, table.c.used_at.is_(None)).values(used_at=now)
            )
            where = {"campaign_id": asked.campaign_id, "cycle": asked.cycle}
            return [ApprovalUsed(**where, approval_id=asked.id, request=request)]

        self._ledger.change(take)
        return self.get(asked.id)

    def _used_for(self, approval_id: str) -> str:
        told = self._ledger.events(subject=approval_id, types=(ApprovalUsed,))
        return next((event.request for event in told if isinstance(event, ApprovalUsed)), "")

    # ------------------------------------------------------------------- rules

    def rules(self, campaign_id: str | None = None) -> list[ApprovalRule]:
        """The remembered answers that stand; with a campaign, those that hold in it."""
        made: dict[str, ApprovalRule] = {}
        for event in self._ledger.events(types=(ApprovalRuleMade, ApprovalRuleForgotten)):
            if isinstance(event, ApprovalRuleMade):
                made[event.rule.id] = event.rule
            elif isinstance(event, ApprovalRuleForgotten):
                made.pop(event.rule_id, None)
        return [rule for rule in made.values() if campaign_id is None or rule.campaign_id in ("", campaign_id)]

    def rule_for(self, approval: Approval) -> ApprovalRule | None:
        """The remembered answer to a question, if there is one."""
        return next((rule for rule in self.rules(approval.campaign_id) if rule.covers(approval)), None)

    def forget(self, rule_id: str, *, by: str) -> ApprovalRule:
        """Remember an answer no longer; what it has answered stays answered.  Raises NotFoundError."""
        rule = next((rule for rule in self.rules() if rule.id == rule_id), None)
        if rule is None:
            raise NotFoundError(
                f"there is no remembered answer {rule_id!r}",
                where=self._ledger.database.where,
                hint="`python run_graph.py inbox --rules` lists them",
            )
        self._ledger.append(ApprovalRuleForgotten(campaign_id=rule.campaign_id, rule_id=rule.id, by=by))
        return rule


def _set_once(connection: sa.Connection, approval_id: str, now: float, **values: object) -> bool:
    """Whether the row was still open, in time, and has the values now."""
    table = schema.approvals
    in_time = sa.or_(table.c.expires_at.is_(None), table.c.expires_at > now)
    is_open = (table.c.id == approval_id, table.c.answered_at.is_(None), table.c.expired_at.is_(None), in_time)
    return connection.execute(sa.update(table).where(*is_open).values(**values)).rowcount == 1


def _expired(connection: sa.Connection, asked: Approval, now: float) -> list[AnyEvent]:
    """Close a question whose time is over, once; nothing where it was answered, or closed by another."""
    table = schema.approvals
    is_late = (
        table.c.id == asked.id,
        table.c.answered_at.is_(None),
        table.c.expired_at.is_(None),
        table.c.expires_at <= now,
    )
    if connection.execute(sa.update(table).where(*is_late).values(expired_at=now)).rowcount != 1:
        return []
    told = {"campaign_id": asked.campaign_id, "cycle": asked.cycle, "approval_id": asked.id}
    return [ApprovalExpired(consequence=asked.without_answer, **told)]


def _too_late(asked: Approval) -> ApprovalError:
    if asked.answer is not None:
        answer = asked.answer
        what = f"{asked.id} was answered: {answer.kind} by {answer.by} ({answer.door})"
        return ApprovalError(what, where=asked.title, hint="the first answer counts")
    return ApprovalError(f"{asked.id} has expired: {asked.without_answer}", where=asked.title, hint=INBOX)


def _no_yes(held: Approval, now: float) -> ApprovalError:
    if held.used_at is not None:
        what = f"the yes {held.id} was used: it holds once"
    elif held.expires_at is not None and held.expires_at <= now:
        what = f"the yes {held.id} has expired"
    elif held.answer is None:
        what = f"{held.id} was not answered yet"
    else:
        what = f"{held.id} was answered with no, by {held.answer.by}"
    return ApprovalError(what, where=held.title, hint=INBOX)


def _row(asked: Approval) -> dict[str, object]:
    columns = ("id", "campaign_id", "cycle", "question", "nonce", "shown_hash", "created_at", "expires_at")
    body = asked.model_dump_json(exclude={"state", "answer", "used_at"})
    return {name: getattr(asked, name) for name in columns} | {"body": body}


def _approval(row: sa.Row[Any], now: float) -> Approval:
    """The question with what has become of it by `now`."""
    asked = Approval.model_validate_json(row.body)
    answer = Answer.model_validate_json(row.answer) if row.answer else None
    if answer is not None:
        state = "answered" if row.used_at is None else "used"
    else:
        late = row.expired_at is not None or (row.expires_at is not None and row.expires_at <= now)
        state = "expired" if late else "waiting"
    return asked.model_copy(update={"state": state, "answer": answer, "used_at": row.used_at})
