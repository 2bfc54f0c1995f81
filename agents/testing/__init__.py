"""Contract suites for extensions.  Subclass one in your own tests and give it your factory:

from agents.testing import VoterContract
from my_package import novelty

class TestNovelty(VoterContract):
    make = staticmethod(novelty)
"""

from agents.testing.cases import example_case, example_kit, example_space
from agents.testing.contracts import (
    DirectorContract,
    ExecutorContract,
    HistorianContract,
    ProposerContract,
    SupervisorContract,
    VoterContract,
)

__all__ = [
    "DirectorContract",
    "ExecutorContract",
    "HistorianContract",
    "ProposerContract",
    "SupervisorContract",
    "VoterContract",
    "example_case",
    "example_kit",
    "example_space",
]
