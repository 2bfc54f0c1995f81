"""Questions and answers in the two forms that interfaces for agents speak, as plain dicts.

agent-inbox   asks `{"action_request": {"action", "args"}, "config": {"allow_accept", …}, "description"}`, is answered
              `{"type": "accept" | "edit" | "response" | "ignore", "args": …}`
LangChain     (human in the loop) asks `{"action_requests": [{"name", "args", "description"}], "review_configs":
              [{"action_name", "allowed_decisions"}]}`, is answered `{"decisions": [{"type": "approve" | "edit" |
              "reject" | "respond", "edited_action": …, "message": …}]}`

Neither library is needed: their own types have changed names before, and the forms have stayed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import RootModel, ValidationError

from core.approvals import Answer, AnswerKind, Approval
from core.errors import ConfigError, nearest
from core.validation import config_error

__all__ = ["Answers", "as_action_requests", "as_agent_inbox", "read_answer", "read_answers", "wire_answer"]

TYPES: dict[str, AnswerKind] = {
    "accept": "accept",
    "approve": "accept",
    "edit": "edit",
    "respond": "respond",
    "response": "respond",
    "ignore": "ignore",
    "reject": "ignore",
}
DECISIONS: dict[AnswerKind, str] = {"accept": "approve", "edit": "edit", "respond": "respond", "ignore": "reject"}
FORMS = '{"type": "accept"}, {"type": "edit", "args": {…}}, {"type": "response", "args": "text"} or {"type": "ignore"}'


class Answers(RootModel[dict[str, Any] | list[Any]]):
    """What an interrupt may be resumed with: answers by id, a list of them in order, or `{"decisions": […]}`."""


def as_agent_inbox(approval: Approval) -> dict[str, Any]:
    """The question as agent-inbox wants it."""
    allowed = approval.allowed
    return {
        "action_request": {"action": _name(approval), "args": _args(approval)},
        "config": {
            "allow_accept": "accept" in allowed,
            "allow_edit": "edit" in allowed,
            "allow_respond": "respond" in allowed,
            "allow_ignore": "ignore" in allowed,
        },
        "description": _description(approval),
    }


def as_action_requests(approvals: Sequence[Approval]) -> dict[str, Any]:
    """Several questions as LangChain's human in the loop wants them; decisions come back in the same order."""
    allowed: dict[str, list[str]] = {}
    for approval in approvals:
        mine = [DECISIONS[kind] for kind in approval.allowed]
        known = allowed.setdefault(_name(approval), mine)
        known[:] = [word for word in known if word in mine]
    return {
        "action_requests": [
            {"name": _name(a), "args": _args(a), "description": _description(a), "id": a.id} for a in approvals
        ],
        "review_configs": [{"action_name": name, "allowed_decisions": words} for name, words in allowed.items()],
    }


def read_answer(told: object, approval: Approval) -> Answer:
    """One answer of either form.  Raises ConfigError for anything else."""
    if isinstance(told, Mapping) and isinstance(told.get("decisions"), list | tuple) and len(told["decisions"]) == 1:
        told = told["decisions"][0]
    if not isinstance(told, Mapping) or not isinstance(told.get("type"), str):
        raise ConfigError("an answer is a mapping with a `type`", where=approval.id, hint=FORMS)
    kind = TYPES.get(told["type"])
    if kind is None:
        raise ConfigError(
            f"{told['type'][:40]!r} is no answer", where=approval.id, hint=nearest(told["type"][:40], TYPES)
        )
    value: Any = told.get("edited_action", told.get("message", told.get("args")))
    fields: dict[str, Any] = {"kind": kind}
    if kind == "edit":
        fields["config"] = _edited(value)
    elif kind == "respond":
        fields["text"] = value
    elif kind == "ignore" and value not in (None, ""):
        # a `reject` with a message says why: that is a word to the council, where the question takes one
        word = told["type"] == "reject" and "respond" in approval.allowed
        fields |= {"kind": "respond" if word else "ignore", "text": value}
    if told.get("remember") is not None:
        fields["remember"] = told["remember"]
    try:
        return Answer.model_validate(fields, strict=True)
    except ValidationError as error:
        raise config_error(error, Answer, f"the answer to {approval.id}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(
            f"the answer cannot be read: {type(error).__name__}", where=approval.id, hint=FORMS
        ) from error


def read_answers(told: object, approvals: Sequence[Approval]) -> dict[str, Answer]:
    """Answers to some of the questions, by id.  Raises ConfigError, also for the id of no question among them."""
    known = {approval.id: approval for approval in approvals}
    if isinstance(told, Mapping) and "decisions" in told:
        told = told["decisions"]
        if not isinstance(told, list | tuple):
            raise ConfigError("`decisions` is a list, one for each question", where="the answers", hint=FORMS)
    if isinstance(told, Mapping) and isinstance(told.get("type"), str):
        told = [told]
    if isinstance(told, list | tuple):
        if len(told) != len(approvals):
            what = f"{len(told)} answers came to {len(approvals)} questions"
            raise ConfigError(what, where="the answers", hint="give them in order, or by id")
        return {one.id: read_answer(answer, one) for one, answer in zip(approvals, told, strict=True)}
    if not isinstance(told, Mapping):
        raise ConfigError("answers are a mapping by id, or a list", where="the answers", hint=FORMS)
    for name in told:
        if name not in known:
            raise ConfigError(
                f"{str(name)[:40]!r} is not a question that waits", where="the answers", hint=nearest("", known)
            )
    return {name: read_answer(answer, known[name]) for name, answer in told.items()}


def wire_answer(approval: Approval) -> dict[str, Any]:
    """The answer that a question got, as agent-inbox says it; empty when it got none."""
    answer = approval.answer
    if answer is None:
        return {}
    if answer.kind == "edit":
        return {"type": "edit", "args": {"action": _name(approval), "args": answer.config}}
    words = {"accept": "accept", "respond": "response", "ignore": "ignore"}
    return {"type": words[answer.kind], "args": answer.text or None}


def _edited(value: object) -> object:
    """The configuration of an edit, whether bare or as the `args` of an action."""
    if isinstance(value, Mapping) and set(value) <= {"action", "name", "args", "id", "description"} and "args" in value:
        value = value["args"]
    return dict(value) if isinstance(value, Mapping) else value


def _name(approval: Approval) -> str:
    return f"run_{approval.kind}" if approval.asks == "proposal" else approval.kind.lower()


def _args(approval: Approval) -> dict[str, Any]:
    config = approval.shown.get("config")
    return dict(config) if isinstance(config, Mapping) else dict(approval.shown)


def _description(approval: Approval) -> str:
    told = [approval.title, approval.what, f"why: {approval.why}", f"risk: {approval.risk:.2f} ({approval.tier})"]
    told += [f"vote: {line}" for line in approval.votes]
    return "\n".join([*told, f"without an answer: {approval.without_answer}"])
