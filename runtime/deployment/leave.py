"""Whether a deployment may begin: the policy has decided, and who deploys for everybody has an approval besides."""

from __future__ import annotations

from core.deployment import Deployment
from core.errors import ApprovalNeededError, DeniedError
from core.policy import Action, Decision

__all__ = ["check_leave"]


def check_leave(deployment: Deployment, leave: Decision) -> None:
    """Raises DeniedError, or ApprovalNeededError where a person's yes would do."""
    if leave.action is not Action.DEPLOY or leave.answer == "denied":
        raise DeniedError(f"no leave to deploy: {leave.reason}", where=leave.rule)
    if not leave.allowed:
        raise ApprovalNeededError(f"a person has to say yes first: {leave.reason}", where=leave.rule)
    if deployment.scope == "system" and not deployment.approval_id:
        raise ApprovalNeededError(
            "a deployment for all tenants needs an approval", where=deployment.id, hint="plan it with `approval_id`"
        )
