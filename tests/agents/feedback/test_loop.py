"""The loop betters a poor first draft, obeys people, keeps the best, stops, and replays from JSON."""

from __future__ import annotations

import json
import textwrap

import pytest

from agents.feedback.agitator import Experience, agitate
from agents.feedback.assistants import (
    AssistantConfig,
    CodeCommentAgitatorAssistant,
    CodeCommentDiscriminatorAssistant,
    CodeCommentGeneratorAssistant,
)
from agents.feedback.generator import generate
from agents.feedback.guidance import parse_guidance
from agents.feedback.loop import CodeFeedbackLoop
from agents.feedback.records import (
    AgitatorFeedback,
    Directive,
    DiscriminatorScore,
    Issue,
    IterationRecord,
    reward_traces,
)

CODE = textwrap.dedent(
    '''
    def merge_settings(defaults, overrides, strict=False):
        """Merge user settings over the defaults, section by section."""
        if not isinstance(overrides, dict):
            raise TypeError("overrides must be a mapping")
        merged = dict(defaults)
        for section, values in overrides.items():
            if section not in merged:
                if strict:
                    raise KeyError(section)
                continue
            merged[section] = {**merged[section], **values}
        return merged


    def drop_expired(sessions, now):
        """Remove sessions whose deadline has passed from the table."""
        assert now > 0
        for key in [k for k, s in sessions.items() if s.deadline < now]:
            del sessions[key]
    '''
)


def asked(text: str) -> dict[str, bool]:
    return {each.name: each.wanted for each in parse_guidance(text)[0]}


@pytest.mark.parametrize(
    ("text", "directives"),
    [
        ("Focus on type hints", {"types": True}),
        ("Review function headers", {"types": True, "params": True, "returns": True}),
        ("Describe the exceptions, but no complexity remarks", {"raises": True, "complexity": False}),
        ("Don't mention side effects. List TODOs.", {"effects": False, "todo": True}),
        ("Be concise", {"concise": True}),
        ("less verbose, please", {"concise": True}),
        ("Skip parameters and types; state the invariants", {"params": False, "types": False, "invariants": True}),
    ],
)
def test_guidance_becomes_directives(text: str, directives: dict[str, bool]):
    assert asked(text) == directives


def test_guidance_that_needs_a_model_is_given_back():
    assert parse_guidance("Write it as a poem")[1] == ["Write it as a poem"]
    advice = agitate(DiscriminatorScore(reward=0.5, coverage=1, accuracy=1, coherence=1, formatting=1), human=["Rhyme"])
    assert advice.unmet == ("Rhyme",)


def issue(name: str, weight: float) -> Issue:
    return Issue(kind=name, message="m", evidence="e", fix="f", line=1, weight=weight, directive=name)  # type: ignore[arg-type]


def scored(*issues: Issue) -> DiscriminatorScore:
    return DiscriminatorScore(reward=0.5, coverage=0.5, accuracy=1, coherence=1, formatting=1, issues=issues)


def test_what_was_tried_in_vain_gives_way():
    score = scored(issue("types", 0.3), issue("raises", 0.2))
    fresh, tired = agitate(score, limit=1), agitate(score, limit=1, tried={"types": 3})
    assert [each.name for each in fresh.directives] == ["types"]
    assert [each.name for each in tired.directives] == ["raises"]


def test_people_go_first_and_nothing_left_means_stop():
    advice = agitate(scored(issue("types", 0.3)), human=["List the todos"])
    assert [(each.name, each.origin) for each in advice.directives] == [("todo", "human"), ("types", "agitator")]
    done = agitate(scored(issue("types", 0.3)), active=[Directive(name="types")])
    assert done.stop
    assert done.stop_reason


def test_directives_that_paid_are_trusted_more():
    def record(n: int, reward: float, name: str) -> IterationRecord:
        base = CodeFeedbackLoop().run_iteration("a.py", "x = 1\n")
        score = base.discriminator_score.model_copy(update={"reward": reward})
        advice = AgitatorFeedback(directives=(Directive(name=name),))  # type: ignore[arg-type]
        return base.model_copy(update={"iteration": n, "discriminator_score": score, "agitator_feedback": advice})

    seen = Experience([record(0, 0.2, "types"), record(1, 0.6, "raises"), record(2, 0.6, "todo")])
    assert seen.success("types") > seen.success("effects") > seen.success("raises")


def test_rounds_gain_and_the_loop_stops_by_itself():
    loop = CodeFeedbackLoop()
    records = loop.run("settings.py", CODE, iterations=12)
    rewards = [record.discriminator_score.reward for record in records]
    best = loop.best("settings.py")
    assert best is not None
    assert best.discriminator_score.reward == max(rewards) > rewards[0]
    assert records[-1].agitator_feedback.stop
    assert len(records) < 12
    assert records[0].agitator_feedback.guidance


def test_human_guidance_changes_the_output():
    loop = CodeFeedbackLoop()
    before = loop.run_iteration("settings.py", CODE)
    loop.guidance_history["settings.py"].append("Focus on type hints, no exceptions")
    after = loop.run_iteration("settings.py", CODE)
    said = [each.topic for summary in after.comments.summaries for each in summary.statements]
    assert "raises" in [each.topic for summary in before.comments.summaries for each in summary.statements]
    assert "raises" not in said
    assert "types" in said
    assert after.kept
    assert loop.human_guidance("settings.py") == ["Focus on type hints, no exceptions"]
    assert after.guidance[0] == "Focus on type hints, no exceptions"


def test_a_worse_round_is_not_kept():
    def worse_later(path, code, directives):
        full = generate(path, code)
        return full if not directives else full.model_copy(update={"summaries": ()})

    loop = CodeFeedbackLoop(generator=CodeCommentGeneratorAssistant(engine=worse_later))
    first, second = loop.run("settings.py", CODE, iterations=2)
    assert first.kept
    assert not second.kept
    assert second.best_reward == first.discriminator_score.reward
    assert loop.best("settings.py") == first


def test_changed_code_starts_anew_and_keeps_what_people_said():
    loop = CodeFeedbackLoop()
    loop.add_human_guidance("a.py", "Focus on types")
    loop.run("a.py", CODE, iterations=2)
    again = loop.run_iteration("a.py", CODE + "\n\ndef more():\n    return 1\n")
    assert again.iteration == 0
    assert "types" in again.comments.directives


def test_training_leaves_settled_files_out():
    loop = CodeFeedbackLoop()
    records = loop.train([("a.py", CODE), ("b.py", "x = 1\n")], epochs=12)
    counts = {path: sum(record.path == path for record in records) for path in ("a.py", "b.py")}
    assert counts["b.py"] <= 2
    assert 2 <= counts["a.py"] < 12


def test_records_and_traces_round_trip():
    records = CodeFeedbackLoop().run("settings.py", CODE, iterations=3)
    for record in records:
        assert IterationRecord.model_validate_json(record.model_dump_json()) == record
    traces = list(reward_traces(records))
    assert [trace.reward for trace in traces] == [record.discriminator_score.reward for record in records]
    assert json.loads(traces[0].completion)["path"] == "settings.py"
    assert any(trace.issues for trace in traces)


def test_models_by_role_and_by_configuration():
    assert CodeCommentGeneratorAssistant().model_id == CodeCommentDiscriminatorAssistant().model_id == "llama3.2"
    assert CodeCommentAgitatorAssistant().model_id == "gemma2:27b"
    assert CodeCommentAgitatorAssistant(AssistantConfig(model_id="qwen3")).model_id == "qwen3"
    assert CodeCommentGeneratorAssistant().engine_name == "rules"
