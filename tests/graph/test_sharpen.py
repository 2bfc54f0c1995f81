"""Code and comment proposals in the council: sharpened before the vote, and carried out beside."""

from __future__ import annotations

import ast
import inspect
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import feedback_answers
import pytest
from drafting_roles import poor_draft
from pydantic import ValidationError
from tiny_run import POINTS, TinyRun, council

from agents.feedback.file_score import score_comments
from agents.feedback.records import CodeComments
from agents.proposers.commenter import commenter
from agents.testing import ProposerContract
from core.errors import ConfigError
from core.records import Proposal
from graph.loading import load_campaign
from memory.history import History
from tests.model_servers import council_answers, ollama_stand_in

CODE = """\
def mean(values, weights=None):
    if not values:
        raise ValueError("no values")
    if weights is None:
        return sum(values) / len(values)
    return sum(v * w for v, w in zip(values, weights)) / sum(weights)


def shout(text, mark="!"):
    return text.upper() + mark


def forget(store, key):
    if key not in store:
        raise KeyError(key)
    del store[key]
"""


@pytest.fixture
def campaign(tmp_path: Path) -> Callable[..., TinyRun]:
    def make(**changes: Any) -> TinyRun:
        made = TinyRun(tmp_path, **changes)
        shutil.copy(Path(__file__).with_name("drafting_roles.py"), made.path.parent)
        return made

    return make


def drafting(**parameters: Any) -> dict[str, Any]:
    return {"use": "drafting_roles.py:drafter", "path": "stats.py", "code": CODE, **parameters}


FIXED = {"use": "roles.py:fixed", "points": POINTS}
VOTING = ["roles.py:approve", "reward"]


def the_other(history: History, cycle: int = 1) -> str:
    [name] = [p for p, made in history.cycles[cycle].proposals.items() if made.proposal.kind != "experiment"]
    return name


def disagreements(comments: CodeComments) -> int:
    """What a person would find wrong or missing, without any of our analysis: the functions are run and looked at."""
    namespace: dict[str, Any] = {}
    exec(CODE, namespace)
    calls = {"mean": ([],), "shout": ("a",), "forget": ({}, "k")}
    wrong = 0
    for summary in comments.summaries:
        if summary.scope != "function":
            continue
        function = namespace[summary.name]
        named = {p["name"] for p in summary.annotation["params"]}
        wrong += len(named ^ set(inspect.signature(function).parameters))
        raised: set[str] = set()
        result = None
        try:
            result = function(*calls[summary.name])
        except (KeyError, ValueError) as error:
            raised = {type(error).__name__}
        wrong += len(raised ^ {r["type"] for r in summary.annotation["raises"]})
        if result is not None and not summary.annotation["returns"]:
            wrong += 1
    return wrong


def test_a_poor_draft_leaves_the_subgraph_better_by_two_measures(campaign) -> None:
    ending, history = campaign(council=council(proposers=[drafting(), FIXED], voting=VOTING)).run()
    cycle = history.cycles[1]
    name = the_other(history)
    before = CodeComments.model_validate(cycle.proposals[name].proposal.comments["stats.py"])
    sharpened = cycle.sharpened[name]
    after = CodeComments.model_validate(sharpened.proposal.comments["stats.py"])
    assert ending.status == "finished"
    assert before == poor_draft("stats.py", CODE)

    # by the discriminator's own measure
    assert sharpened.before == pytest.approx(score_comments(CODE, before).reward)
    assert sharpened.after == pytest.approx(score_comments(CODE, after).reward)
    assert sharpened.after > sharpened.before + 0.3
    assert sharpened.rounds > 1

    # by a measure that knows nothing of it
    assert disagreements(before) >= 8
    assert disagreements(after) == 0


def test_the_vote_and_the_ruling_are_on_what_it_has_become(campaign) -> None:
    _, history = campaign(council=council(proposers=[drafting(), FIXED], voting=VOTING)).run()
    cycle, name = history.cycles[1], the_other(history)
    assert [v.vote.voter for v in cycle.votes[name]] == ["reward"]  # `approve` is for experiments
    assert f"{cycle.sharpened[name].after:.2f}" in cycle.votes[name][0].vote.reason
    assert cycle.rulings[name].ruling.decision == "accept"
    assert {v.vote.voter for p, told in cycle.votes.items() if p != name for v in told} == {"approve"}


def test_it_is_carried_out_beside_and_is_no_trial(campaign) -> None:
    alone = campaign(council=council(proposers=[FIXED], voting=VOTING))
    run = campaign(council=council(proposers=[drafting(), FIXED], voting=VOTING))
    _, history = run.run()
    cycle, name = history.cycles[1], the_other(history)
    outcome = cycle.applied[name].outcome
    assert outcome.ok
    assert outcome.metrics["reward"] == pytest.approx(cycle.sharpened[name].after)
    written = run.home.experiments / outcome.job_id / "stats.py"
    assert ast.dump(ast.parse(written.read_text())) == ast.dump(ast.parse(CODE))
    assert written.read_text() != CODE
    assert name not in {e.proposal.id for e in history.experiments()}
    assert name not in {t.proposal_id for t in history.trajectories.values()}
    assert outcome.job_id not in history.outcomes
    assert len(history.experiments()) == len(alone.run()[1].experiments())


def test_code_gets_its_comments_and_keeps_its_syntax_tree(campaign) -> None:
    _, history = campaign(council=council(proposers=[drafting(kind="code", with_draft=False)], voting=VOTING)).run()
    cycle, name = history.cycles[1], the_other(history)
    text = cycle.sharpened[name].proposal.files["stats.py"]
    assert ast.dump(ast.parse(text)) == ast.dump(ast.parse(CODE))
    assert "# »" in text
    assert cycle.sharpened[name].after >= cycle.sharpened[name].before
    comments = CodeComments.model_validate(cycle.sharpened[name].proposal.comments["stats.py"])
    assert score_comments(text, comments).reward == pytest.approx(cycle.sharpened[name].after)
    assert cycle.applied[name].outcome.metrics["reward"] == pytest.approx(cycle.sharpened[name].after)


def test_what_was_carried_out_is_not_carried_out_again(campaign) -> None:
    both = council(proposers=[drafting()], voting=VOTING)
    _, history = campaign(council=both, budget={"cycles": 2}).run()
    assert [r.ruling.rule for r in history.cycles[2].rulings.values()] == ["repeat"]


def test_a_draft_that_does_not_parse_is_refused_and_the_cycle_goes_on(campaign) -> None:
    broken = drafting(kind="code", code="def (:\n", with_draft=False)
    ending, history = campaign(council=council(proposers=[broken, FIXED], voting=VOTING)).run()
    name = the_other(history)
    assert ending.status == "finished"
    assert history.cycles[1].rulings[name].ruling.rule == "syntax"
    assert len(history.experiments()) == 2


def test_a_comment_cannot_be_amended_to_an_experiment(campaign) -> None:
    seats = council(proposers=[drafting()], voting=VOTING, supervisor="drafting_roles.py:turncoat")
    _, history = campaign(council=seats).run()
    ruling = history.cycles[1].rulings[the_other(history)].ruling
    assert (ruling.decision, ruling.rule) == ("reject", "schema")


def test_run_again_the_node_answers_what_the_ledger_has(campaign) -> None:
    run = campaign(council=council(proposers=[drafting(), FIXED], voting=VOTING))
    ending, history = run.run(stop_at="ProposalSharpened")
    assert ending.status == "interrupted"
    before = history.cycles[1].sharpened[the_other(history)]
    for file in run.home.checkpoints.glob("*.db*"):
        file.unlink()
    ending, again = run.run()
    assert ending.status == "finished"
    assert again.cycles[1].sharpened[the_other(again)] == before  # the same event, with its place and time
    assert again.cycles[1].applied[the_other(again)].outcome.ok


@pytest.mark.parametrize("path", ["/etc/passwd", "../up.py", "a/../../up.py", ".git/hooks/x", "a\\b.py", ""])
def test_paths_that_leave_the_folder_are_refused(path: str) -> None:
    with pytest.raises(ValidationError, match="below"):
        Proposal.make(campaign_id="c", cycle=1, proposer="x", kind="code", files={path: "x = 1"}, rationale="r")


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "comment"},
        {"kind": "code", "files": {"a.py": "x"}, "config": {"x": 1}},
        {"kind": "experiment", "config": {"x": 1}, "files": {"a.py": "x"}},
        {"kind": "comment", "files": {"a.py": "x"}, "comments": {"b.py": {}}},
    ],
)
def test_a_proposal_holds_what_its_kind_says(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Proposal.make(campaign_id="c", cycle=1, proposer="x", rationale="r", **wrong)


class TestCommenter(ProposerContract):
    make = staticmethod(lambda: commenter(files=[]))


def test_the_commenter_comments_each_file_once(campaign) -> None:
    seats = council(proposers=[{"use": "commenter", "files": ["train.py", "roles.py"]}, FIXED], voting=VOTING)
    _, history = campaign(council=seats, budget={"cycles": 3}).run()
    applied = [list(p.files) for p in history.applied(before=9)]
    assert applied == [["train.py"], ["roles.py"]]
    assert [p for p in history.cycles[3].proposals.values() if p.proposal.kind == "comment"] == []
    assert [f for cycle in history.cycles.values() for f in cycle.failures] == []


def test_a_commenter_outside_the_folder_fails_when_the_campaign_is_loaded(campaign) -> None:
    run = campaign(council=council(proposers=[{"use": "commenter", "files": ["../secret.py"]}]))
    with pytest.raises(ConfigError, match="below the campaign"):
        load_campaign(run.path)


def test_with_a_model_its_three_parts_are_asked_and_told_of(campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    said = {
        "mean": "Averages `values`, each weighted by its entry of `weights` where there are some.",
        "shout": "Writes `text` in capitals, and puts `mark` behind it.",
        "forget": "Takes `key` out of `store`.",
    }

    def either(asked: Any) -> Any:
        if "summaries" in asked.schema.get("properties", {}):
            names = [name for name in said if f"# {name}\n" in asked.user]
            return {"summaries": [{"name": name, "text": said[name]} for name in names]}
        return feedback_answers.answer(asked) or council_answers.answer(asked)

    with ollama_stand_in.start(answer=either) as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        drafts = council(proposers=[drafting(), FIXED], voting=VOTING)
        _, history = campaign(council=drafts, model={"use": "ollama:llama3.2", "roles": {"agitator": "none"}}).run()
    sharpened = history.cycles[1].sharpened[the_other(history)]
    asked = {call.role for call in history.model_calls if not call.error}
    assert {"generator", "discriminator"} <= asked
    assert "agitator" not in asked  # the campaign gives it none
    comments = CodeComments.model_validate(sharpened.proposal.comments["stats.py"])
    assert {summary.annotation.get("summary") for summary in comments.summaries} & set(said.values())
    assert sharpened.after > sharpened.before
