"""Contract suites for extensions.  Subclass one in your own tests and give it your factory:

from agents.testing import VoterContract
from my_package import novelty

class TestNovelty(VoterContract):
    make = staticmethod(novelty)

A role that asks a language model is also run with one: `kit = staticmethod(my_kit)`, where `my_kit` makes an
`example_kit` with `model=ScriptedModel(...)`.
"""

from agents.testing.cases import example_case, example_kit, example_space
from agents.testing.code_cases import example_code_case
from agents.testing.contracts import (
    CodeProposerContract,
    CodeVoterContract,
    DirectorContract,
    ExecutorContract,
    HistorianContract,
    ProposerContract,
    SupervisorContract,
    VoterContract,
)
from agents.testing.models import ScriptedModel

__all__ = [
    "CodeProposerContract",
    "CodeVoterContract",
    "DirectorContract",
    "ExecutorContract",
    "HistorianContract",
    "ProposerContract",
    "ScriptedModel",
    "SupervisorContract",
    "VoterContract",
    "example_case",
    "example_code_case",
    "example_kit",
    "example_space",
]
