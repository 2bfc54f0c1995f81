"""What models took, in a line for a person: true while nothing has come yet, and when little does."""

from __future__ import annotations

from core.campaign import Campaign
from core.events import ModelCalled, ModelChosen
from graph.model_use import model_use, use_line
from memory.history import History


def campaign(model: str) -> Campaign:
    return Campaign.model_validate(
        {
            "name": "c", "command": ["true"], "objective": {"metric": "m"}, "baseline": {"x": 0},
            "space": {"x": {"type": "int", "low": 0, "high": 1}}, "model": model,
        }
    )  # fmt: skip


def called(call: str, **more: object) -> ModelCalled:
    told = {"role": "voter", "seat": "critical", "prompt": "voter/judgement", "edition": "e", "model_id": "ollama:a"}
    return ModelCalled.model_validate({"campaign_id": "c-1", "cycle": 1, "call": call, **told, **more})


def hear(history: History, *events: ModelCalled | ModelChosen) -> None:
    for event in events:
        history.apply(event.model_copy(update={"seq": history.seq + 1}))


def line(model: str, *events: ModelCalled | ModelChosen) -> str:
    history = History("c-1")
    hear(history, *events)
    use = model_use(campaign(model), history)
    assert use is not None
    return use_line(use)


def test_the_line_says_what_was_asked_and_what_came() -> None:
    none = ModelChosen(campaign_id="c-1", asked="auto", model="none", reason="no Ollama at x")
    assert line("auto", none) == "none: not asked (no Ollama at x); rules decided"
    assert line("ollama:a") == "ollama:a: no answer so far"
    assert line("ollama:a", called("1", output_tokens=5)) == "ollama:a: 1 answer, 5 tokens, 0.0 s"
    died = called("2", error="ModelSilentError: it does not answer")
    assert line("ollama:a", called("1"), died).endswith(
        "1 answer, 0 tokens, 0.0 s; "
        "1 of 2 questions stayed without an answer that could be used, rules decided there (it does not answer)"
    )


def test_use_without_one_usable_answer_is_told_apart_from_silence() -> None:
    history = History("c-1")
    for number in range(2):
        hear(history, called(f"{number}a"))
        hear(history, called(f"{number}b", repair=1, error="ModelAnswerError: the answer stayed invalid"))
    use = model_use(campaign("ollama:a"), history)
    assert use is not None
    assert (use["questions"], use["failed"], use["useless"], use["died"]) == (2, 2, True, False)
    hear(history, called("3"))
    use = model_use(campaign("ollama:a"), history)
    assert use is not None
    assert not use["useless"]
