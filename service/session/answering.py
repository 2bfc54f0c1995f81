"""`a`, `e`, `r`, `i`: the answers to a question, by the commands of the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from core.approvals import Approval
from core.errors import UsageError
from service.approving import help_line, read_typed
from service.state import open_folder

if TYPE_CHECKING:
    from service.session.session import Session

__all__ = ["answer", "empty_line"]


def answer(kind: str) -> Callable[[Session, str], int]:
    """The command that answers so."""
    return lambda session, rest: _answered(session, kind, rest)


def empty_line(session: Session) -> int:
    """An empty line is a yes at low risk, while the question stands there; at any other it is nothing, and says so."""
    asked = session.question
    if asked is None or not session.asks:
        return 0
    if read_typed("", asked).answer is not None:
        return _given(session, "accept", asked, "")
    session.output.say(f"this is of {asked.tier} risk: an empty line says nothing\n{help_line(asked)}")
    return 0


def _answered(session: Session, kind: str, rest: str) -> int:
    first, _, after = rest.partition(" ")
    if first.startswith("a-"):
        return _given(session, kind, _found(session, first), after.strip())
    return _given(session, kind, session.question or _found(session, None), rest)


def _given(session: Session, kind: str, asked: Approval, rest: str) -> int:
    """The answer as a command, bound to what was shown."""
    typed = read_typed(f"{kind} {rest}", asked)
    shown = ["--shown", asked.shown_hash]
    if typed.wish == "editor":
        with session.screen_held():
            return session.call(["edit", asked.id, *shown])
    if kind == "accept":
        scope = typed.answer.remember if typed.answer else None
        return session.call(["approve", asked.id, *shown, *(["--remember", scope] if scope else [])])
    if kind == "edit":
        changes = [word for change in rest.split() for word in ("--set", change)]
        return session.call(["edit", asked.id, *shown, *changes])
    return session.call([kind, *shown, asked.id, *(["--", rest] if rest else [])])


def _found(session: Session, name: str | None) -> Approval:
    """The question of that name, or the only one that waits.  Raises UsageError, NotFoundError."""
    from graph.approvals import open_approvals

    with open_folder(session.parse(["inbox"]), must_exist=True).open_ledger() as ledger:
        approvals = open_approvals(ledger)
        if name is not None:
            return approvals.get(name)
        waiting = approvals.waiting()
    if len(waiting) == 1:
        return waiting[0]
    if not waiting:
        raise UsageError("nothing waits for a person", where="inbox", hint="`status` tells how the campaign stands")
    raise UsageError(f"{len(waiting)} wait: which one?", where="inbox", hint=", ".join(one.id for one in waiting[:6]))
