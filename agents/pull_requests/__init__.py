"""Changes of code that leave as pull requests: the proposal with its evidence, and its way to GitHub."""

from agents.pull_requests.evidence import Evidence, Measurement, Risk, Tests
from agents.pull_requests.orchestrator import PROrchestrator, propose_pr

__all__ = ["Evidence", "Measurement", "PROrchestrator", "Risk", "Tests", "propose_pr"]
