"""The proof that the extension keeps the contract, with the suites that Ratchet ships."""

from ratchet_extras import corners, frugal

from agents.testing import ProposerContract, VoterContract


class TestCorners(ProposerContract):
    make = staticmethod(corners)
    parameters = {"n": 2}


class TestFrugal(VoterContract):
    make = staticmethod(frugal)
    parameters = {"parameter": "learning_rate", "limit": 0.1}
