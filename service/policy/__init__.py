"""What may be done: rules as data, judged on a context, and audited.  Where no rule fits, the answer is no."""

from service.policy.asking import ask_locally, capabilities_of, local_context
from service.policy.explain import Explanation, explain
from service.policy.gate import Gate
from service.policy.policy import Policy, read_rules, shipped_rules

__all__ = [
    "Explanation",
    "Gate",
    "Policy",
    "ask_locally",
    "capabilities_of",
    "explain",
    "local_context",
    "read_rules",
    "shipped_rules",
]
