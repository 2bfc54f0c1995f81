"""A privileged action as a question to a person: exactly this request, by exactly this asker."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from core.approvals import Approval
from core.errors import ConfigError
from core.ids import canonical
from core.plain import plain
from core.policy import ACTION_FACTS, Action, Decision, PolicyContext
from core.scrub import scrubbed_code, scrubbed_data

__all__ = ["EXPIRES_S", "action_question"]

EXPIRES_S = 86_400.0
"""For so long a question about an action waits, and its answer holds."""
DETAILS_CHARACTERS = 20_000


def action_question(action: Action, context: PolicyContext, decision: Decision) -> Approval:
    """The question; the same for the same request under the same rules.

    The hash of the whole request is part of what is shown, secrets and all: two requests that look alike when scrubbed
    are two questions.  Raises ConfigError for details that have no text of their own to hash.
    """
    request = {**context.model_dump(exclude={"version", "approval_id"}), "capabilities": sorted(context.capabilities)}
    try:
        text = canonical([action.value, request])
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(
            "nobody can say yes to exactly this request: its details are no plain data", where=context.route
        ) from error
    hashed = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    facts = {name: value for name, value in request.items() if name not in ("details", "capabilities") and value}
    campaign = context.details.get("campaign")
    return Approval.make(
        campaign_id=campaign if isinstance(campaign, str) and campaign.isprintable() else "",
        asks="action",
        subject=f"{action.value}:{hashed[:16]}",
        kind=action.value,
        asker=context.actor,
        title=f"{action.value} for {context.actor or 'somebody unknown'}, by {context.route or 'an unknown door'}",
        what=f"leave, once, to {ACTION_FACTS[action].does}",
        why=f"rule {decision.rule}: {scrubbed_code(decision.reason)}",
        risk=decision.risk,
        shown={"request": hashed, "risk": decision.parts, "facts": plain(facts), "details": _shown(context.details)},
        without_answer="it is not done; the question closes after a day",
        allowed=("accept", "ignore"),
    )


def _shown(details: dict[str, Any]) -> Any:
    """The details without secrets, as a person can read them."""
    text = canonical(scrubbed_data(plain(details))).encode("utf-8", "replace").decode()
    if len(text) > DETAILS_CHARACTERS:
        return {"(cut)": text[:DETAILS_CHARACTERS]}
    return json.loads(text)
