"""What `doctor` finds about a model, on the very path that a run takes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel

from core.campaign import ModelPlan
from core.errors import ConfigError, ModelError, ModelRefusedError, RatchetError
from core.models import ChatCall, ChatReply, Message
from core.records import Record
from runtime.models.answers import parse_answer
from runtime.models.choice import Spec, choose, open_chat, parse_spec
from runtime.models.guard import GuardedChat
from runtime.models.ollama_api import OllamaApi, ollama_url
from runtime.models.recording import ReplayChat

__all__ = ["Finding", "probe"]

SLOW_TOKENS_PER_S = 5.0
PROBE_TOKENS = 512
"""Enough for a model that thinks before it says a number."""


class Finding(Record):
    """One thing that was tried: whether it is well, what was found, and what to do where it is not."""

    name: str
    ok: bool
    what: str
    fix: str = ""


class _Sum(BaseModel):
    answer: int


async def probe(
    spec: str, plan: ModelPlan, here: Path, question: Message, environment: Mapping[str, str] = os.environ
) -> list[Finding]:
    """Try the model: chosen, reachable, there, its context, an answer in a form, its speed.  Raises nothing of ours.

    `question` asks for the number 2 as `{"answer": 2}`; its text is a prompt file's.  Stops at the first thing without
    which the rest cannot be tried.
    """
    try:
        choice = await choose(spec, environment)
        told = parse_spec(choice.model)
    except ConfigError as error:
        return [_bad("choice", error)]
    findings = [Finding(name="choice", ok=True, what=f"{choice.model} ({choice.reason})")]
    if told.kind == "none":
        return findings
    if told.kind == "ollama":
        findings += await _ollama(told, plan, environment)
        if not all(finding.ok for finding in findings if finding.name in ("reachable", "present")):
            return findings
    if told.kind == "replay":
        return [*findings, _recorded(choice.model, plan, here, environment)]
    return findings + await _answers(choice.model, plan, here, question, environment)


async def _ollama(spec: Spec, plan: ModelPlan, environment: Mapping[str, str]) -> list[Finding]:
    server = OllamaApi(ollama_url(environment))
    findings = []
    try:
        version = await server.version()
        names = [str(one["name"]) for one in await server.models()]
        findings.append(Finding(name="reachable", ok=True, what=f"Ollama {version} with {len(names)} models"))
    except (ModelError, ConfigError) as error:
        return [_bad("reachable", error)]
    try:
        shown = await server.show(spec.name)
    except ModelRefusedError as error:
        there = ", ".join(names[:20]) or "none"
        what = f"{error.what}; there is {there}"
        return [*findings, Finding(name="present", ok=False, what=what, fix=error.hint)]
    except ModelError as error:
        return [*findings, _bad("present", error)]
    findings.append(Finding(name="present", ok=True, what=spec.name))
    return [*findings, _context(shown, plan)]


def _context(shown: Mapping[str, object], plan: ModelPlan) -> Finding:
    info = shown.get("model_info")
    lengths = (
        [value for key, value in info.items() if key.endswith(".context_length")] if isinstance(info, dict) else []
    )
    length = next((value for value in lengths if isinstance(value, int)), 0)
    if not length:
        return Finding(name="context", ok=True, what=f"not told; {plan.context_tokens:,} tokens are asked for")
    fits = plan.context_tokens <= length
    fix = "" if fits else f"set model.context_tokens to at most {length}"
    what = f"{length:,} tokens, {plan.context_tokens:,} are asked for"
    return Finding(name="context", ok=fits, what=what, fix=fix)


def _recorded(spec: str, plan: ModelPlan, here: Path, environment: Mapping[str, str]) -> Finding:
    """A recording answers what was asked then, not what a doctor asks: it is read, and counted."""
    try:
        chat = open_chat(spec, plan, here, environment)
    except RatchetError as error:
        return _bad("answers", error)
    assert isinstance(chat, ReplayChat)
    fix = "" if len(chat) else "record again with `run --record FILE`"
    return Finding(name="answers", ok=bool(len(chat)), what=f"{len(chat)} recorded", fix=fix)


async def _answers(
    spec: str, plan: ModelPlan, here: Path, question: Message, environment: Mapping[str, str]
) -> list[Finding]:
    """An answer in a form, and how fast it came: the second call is timed, as the first may load the model."""
    call = ChatCall(
        model_id=spec, messages=(question,), answer_schema=_Sum.model_json_schema(), max_tokens=PROBE_TOKENS
    )
    try:
        chat = GuardedChat(open_chat(spec, plan, here, environment), timeout_s=plan.timeout_s, retries=0)
        reply = await chat.complete(call)
    except RatchetError as error:
        return [_bad("answers", error)]
    findings = [Finding(name="answers", ok=True, what=f"after {reply.duration_s:.1f} s")]
    parsed = parse_answer(reply.text, _Sum, cut=reply.finish == "length")
    if parsed.value is None:
        what, fix = f"no answer in the form that was asked for: {parsed.faults[0]}", "choose a larger model"
        return [*findings, Finding(name="structured", ok=False, what=what, fix=fix)]
    findings.append(Finding(name="structured", ok=True, what="an answer in the form that was asked for"))
    if reply.source != "model":
        return findings
    try:
        reply = await chat.complete(call)
    except ModelError as error:
        return [*findings, _bad("speed", error)]
    return [*findings, _speed(reply)]


def _speed(reply: ChatReply) -> Finding:
    speed = reply.output_tokens / max(reply.duration_s, 1e-6)
    slow = speed < SLOW_TOKENS_PER_S and reply.duration_s > 2
    fix = "choose a smaller model, or give it a GPU" if slow else ""
    return Finding(name="speed", ok=not slow, what=f"about {speed:.0f} tokens a second", fix=fix)


def _bad(name: str, error: RatchetError) -> Finding:
    where = f" ({error.where})" if error.where else ""
    return Finding(name=name, ok=False, what=f"{error.what}{where}", fix=error.hint)
