"""Guards: what does not exist is named as such, what is told of results is compared, and honest sentences pass."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents import guards
from agents.answers import Claim
from agents.roles import Case
from agents.testing import example_case
from core.records import Experiment, Memory, Outcome, Proposal

TREE = {"model": "tree", "learning_rate": 0.01, "depth": 3}
DEEP = {"model": "tree", "learning_rate": 0.02, "depth": 9}


def trial(name: str, config: dict[str, object], accuracy: float) -> Experiment:
    proposal = Proposal(id=name, campaign_id="c", cycle=1, proposer="bayes", config=config, rationale="r")
    outcome = Outcome(
        job_id="j", proposal_id=name, status="ok", config=config, seed=0, metrics={"accuracy": accuracy, "auc": 0.5}
    )
    return Experiment(proposal=proposal, outcome=outcome, score=accuracy)


SHALLOW, DEEPER = trial("p-3f9a12bc04", TREE, 0.9132), trial("p-77aa00ff11", DEEP, 0.9712)
MEMORY = Memory(
    id="t-12ab34cd56", kind="trajectory", text="warmup=5 dropout=0.3 → accuracy 0.887", similarity=0.9,
    campaign_id="older", proposal_id="p-55ee55ee55", score=0.887, objective="maximize accuracy", config=TREE,
)  # fmt: skip


def case() -> Case:
    return replace(example_case(0), history=(SHALLOW, DEEPER), best=DEEPER)


@pytest.mark.parametrize(
    "text",
    [
        "accuracy 0.97 with depth 9",
        "With depth=9 accuracy was 0.9712, the best so far.",
        "accuracy 97.1% with depth 9",
        "accuracy of 0.91 at depth 3 and accuracy of 0.97 at depth 9",
        "p-3f9a reached 0.91, p-77aa00ff11 reached 0.97",
        "p-3f9a12bc04 gave accuracy 0.913 while the baseline gave less",
        "accuracy improved by 0.06, that is 6 points; accuracy is 3% better",
        "It does not need quotes, don't worry: 'tree' and `learning_rate` and \"accuracy\" are known.",
        "explore depth 4 to 6, as accuracy rose there",
        "set depth=5",
        "auc 0.5 says nothing",
        "accuracy 12 trials ago was lower",
    ],
)
def test_what_is_true_passes(text: str) -> None:
    assert guards.judged(text, case()) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("accuracy 0.97 with depth 3", "no trial with depth=3 gave accuracy 0.97; p-3f9a12bc04 gave 0.9132"),
        ("With model=linear the accuracy was 0.97.", "no trial with model=linear gave accuracy 0.97"),
        ("p-3f9 reached 0.97", "p-3f9 did not reach 0.97; p-3f9a12bc04 gave 0.9132"),
        ("p-3f9a12bc04 gave accuracy 0.97", "p-3f9a12bc04 did not give accuracy 0.97"),
        ("accuracy 0.99 was reached", "no trial gave accuracy 0.99; p-77aa00ff11 gave 0.9712"),
        ("accuracy 99 %", "no trial gave accuracy 99%"),
        ("accuracy 1", "no trial gave accuracy 1"),
        ("f1 0.98 speaks for it", "does not measure f1"),
        ("`warmup` is too short", "no 'warmup'"),
        ("raise dropout=0.3", "no 'dropout'"),
        ("use model=forest", "model has no option 'forest'"),
        ("see p-00000000ab", "no trial or memory p-00000000ab"),
        ("p-0000 did well", "no trial or memory p-0000"),
        ("as /etc/secrets.yaml says", "no file '/etc/secrets.yaml'"),
    ],
)
def test_what_does_not_exist_or_never_was_is_told(text: str, fault: str) -> None:
    assert any(fault in told for told in guards.judged(text, case())), guards.judged(text, case())


def test_what_a_shown_memory_says_may_be_said() -> None:
    text = "t-12ab34cd56 had `warmup` and dropout=0.3 with accuracy 0.887"
    assert guards.judged(text, case(), memories=[MEMORY]) == []
    assert len(guards.judged(text, case())) >= 3
    assert guards.judged("t-12ab34cd56 reached 0.95", case(), memories=[MEMORY])


def test_files_of_the_command_may_be_named() -> None:
    told = case()
    campaign = told.campaign.model_copy(update={"command": ("{python}", "{here}/train.py")})
    assert guards.unknown_files("train.py prints it", replace(told, campaign=campaign)) == []
    assert guards.unknown_files("train.py prints it", told) == ["there is no file 'train.py' here"]


def test_claims_in_so_many_words_are_compared_too() -> None:
    def faults(trial: str, metric: str, value: float) -> list[str]:
        return guards.false_statements([Claim(trial=trial, metric=metric, value=value)], case())

    assert faults("p-3f9a12bc04", "accuracy", 0.913) == []
    assert faults("baseline", "accuracy", case().baseline.mean) == []  # type: ignore[union-attr]
    assert "gave accuracy 0.9132, not 0.97" in faults("p-3f9a12bc04", "accuracy", 0.97)[0]
    assert "no finished trial" in faults("p-00000000ab", "accuracy", 0.97)[0]
    assert "has no f1" in faults("p-3f9a12bc04", "f1", 0.9)[0]


def test_only_finished_trials_are_evidence() -> None:
    told = case()
    tabled = told.propose("idea", DEEP, "r")
    told = replace(told, proposals=(tabled,))
    assert guards.unknown_trials([SHALLOW.proposal.id], told) == []
    assert guards.unknown_trials([tabled.id], told) != []
    assert guards.unknown_ids([tabled.id], told) == []


@given(st.floats(0.001, 0.999), st.integers(2, 6))
def test_any_value_may_be_rounded(value: float, digits: int) -> None:
    told = replace(example_case(0), history=(trial("p-3f9a12bc04", TREE, value),))
    assert guards.false_claims(f"accuracy {value:.{digits}f}", told) == []
    assert guards.false_claims(f"accuracy {value + 0.02:.{digits}f} with depth 3", told) or digits < 3


@given(st.text(max_size=300))
def test_no_text_makes_a_guard_raise(text: str) -> None:
    guards.judged(text, case(), [text], memories=[MEMORY])


def test_a_flood_takes_no_time() -> None:
    for flood in ("accuracy 0." * 100, "`" * 1000, "a=" * 500, "p-" * 500, "-." * 500, "a/" * 500, "accuracy " * 111):
        guards.judged(flood, case())
