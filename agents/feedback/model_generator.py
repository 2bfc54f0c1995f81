"""The generator with a language model: the rules' draft first, then better words for what each function is for.

A sentence is taken alone: one that names what is not there, claims an absence or is contradicted by the syntax falls
back to the rules' words for that function, and the notes say so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agents.feedback.assistants import Briefing, GeneratorEngine
from agents.feedback.blocking import BlockingModel
from agents.feedback.discriminator import judge_annotation
from agents.feedback.generator import generate
from agents.feedback.model_answers import SummariesAnswer
from agents.feedback.model_guards import contradiction, faults_of_text, one_line
from agents.feedback.model_scopes import Scope, batches, scopes, shown
from agents.feedback.records import CodeComments, Directive, ScopeSummary, Statement
from core.errors import ModelAnswerError, ModelError
from core.models import Prompt

__all__ = ["Render", "model_generator"]

Render = Callable[..., Prompt]
"""`render(name, **variables)`: the prompt of that name."""
MAX_NOTES = 20


def model_generator(
    model: BlockingModel, render: Render, brief: Callable[[str], Briefing] | None = None
) -> GeneratorEngine:
    """An engine whose summaries of functions are the model's where they hold, else the rules'.

    `brief(path)` is the guidance in words; here it is followed as it stands, also where no directive can.
    """

    def engine(path: str, code: str, directives: Sequence[Directive]) -> CodeComments:
        draft = generate(path, code, directives)
        told = brief(path) if brief else Briefing()
        asked, left = batches([scope for scope in scopes(code, draft) if _purpose(scope.summary)])
        notes = [f"{scope.label}: rules' words kept: too long or too far down to be asked about" for scope in left]
        better: dict[tuple[str, int], ScopeSummary] = {}
        for number, batch in enumerate(asked):
            try:
                said = _ask(model, render, batch, told)
            except ModelError as error:
                rest = sum(map(len, asked[number:]))
                notes.insert(0, f"rules' words kept for {rest} functions: {one_line(error.what)}")
                break
            for scope in batch:
                fault = _taken(scope, said.get(scope.label), better)
                if fault:
                    notes.append(f"{scope.label}: rules' words kept: {fault}")
        if len(notes) > MAX_NOTES:
            notes[MAX_NOTES:] = [f"{len(notes) - MAX_NOTES} more notes"]
        summaries = tuple(better.get((one.name, one.line), one) for one in draft.summaries)
        return draft.model_copy(
            update={
                "summaries": summaries,
                "notes": (*draft.notes, *notes),
                "engine": "model" if better else "rules",
            }
        )

    return engine


def _ask(model: BlockingModel, render: Render, batch: Sequence[Scope], told: Briefing) -> dict[str, str]:
    """Label → sentence.  Of an answer that stayed invalid the last one is used, sentence by sentence."""
    by_label = {scope.label: scope for scope in batch}
    last: list[SummariesAnswer] = []

    def faults(answer: SummariesAnswer) -> list[str]:
        last[:] = [answer]
        odd = [f"there is no function {one.name!r}" for one in answer.summaries if one.name not in by_label]
        missing = [f"{label} has no summary" for label in by_label if label not in {s.name for s in answer.summaries}]
        wrong = [
            fault
            for one in answer.summaries
            if one.name in by_label
            for fault in faults_of_text(one_line(one.text), by_label[one.name])
        ]
        return [*odd, *missing, *wrong]

    prompt = render(
        "generator/summaries",
        functions=shown(batch),
        guidance="\n".join(told.human) or "nothing in particular",
        advice=told.advice or "this is the first round",
    )
    try:
        answer = model(prompt, SummariesAnswer, faults)
    except ModelAnswerError:
        if not last:
            raise
        answer = last[0]
    return {one.name: one_line(one.text) for one in answer.summaries}


def _taken(scope: Scope, text: str | None, better: dict[tuple[str, int], ScopeSummary]) -> str:
    """Put the sentence into `better` where it holds; else why it does not."""
    if text is None:
        return "the model gave none"
    wrong = faults_of_text(text, scope)
    if wrong:
        return wrong[0].removeprefix(f"{scope.label}: ")
    bettered = _with_purpose(scope.summary, text)
    before = judge_annotation(scope.source, scope.summary.annotation, scope.facts)
    why = contradiction(before, bettered.annotation, scope)
    if not why:
        better[scope.key] = bettered
    return why


def _with_purpose(summary: ScopeSummary, text: str) -> ScopeSummary:
    """The summary with the model's sentence as its purpose."""
    sentence = Statement(topic="purpose", text=text, source="model", line=summary.line, end_line=summary.end_line)
    rest = tuple(one for one in summary.statements if one.topic != "purpose")
    annotation = {**summary.annotation, "summary": text}
    return summary.model_copy(update={"statements": (sentence, *rest), "annotation": annotation})


def _purpose(summary: ScopeSummary) -> str:
    return str(summary.annotation.get("summary") or "")
