"""The spans of a campaign, from the ledger: run > cycle > role or job, as lines of OTLP in JSON.

Each line is one `TracesData`, as the file receiver of OpenTelemetry's collector reads it: ids in hexadecimal, 64-bit
numbers as text.  Times are those of the ledger: of a job from its start to its end, of a model's call back from its
end by its duration, of a role from the event before its answer to the answer; what has no duration is an event of its
cycle.  Ids come from content, so that the same campaign gives the same spans.

Source: https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from core.events import (
    AnyEvent,
    BaselineMeasured,
    BestChallenged,
    BestImproved,
    CampaignFinished,
    CampaignInterrupted,
    CycleFinished,
    CycleStarted,
    DirectionSet,
    JobFinished,
    JobStarted,
    LessonLearned,
    ModelCalled,
    ProposalMade,
    ProposalRuled,
    RoleFailed,
    VerdictReached,
    VoteCast,
)
from core.ids import content_hash
from memory.ledger import Ledger, StoredCampaign

__all__ = ["Span", "otlp_lines", "spans_of"]

INTERNAL, CLIENT = 1, 3
OK, ERROR = 1, 2
SPANS_A_LINE = 500


@dataclass
class Span:
    """One span; times in UTC seconds.  `error` is what its status says; empty: it went well."""

    id: str
    parent: str
    name: str
    start: float
    end: float
    kind: int = INTERNAL
    attributes: dict[str, Any] = field(default_factory=dict)
    events: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)
    error: str = ""


def otlp_lines(ledger: Ledger, stored: StoredCampaign) -> Iterator[str]:
    """The spans of the campaign as lines of JSON."""
    trace = content_hash("trace", stored.id, stored.created_at)[:32]
    told = [_span(span, trace) for span in spans_of(ledger, stored)]
    for at in range(0, len(told), SPANS_A_LINE):
        scope = {"scope": {"name": "ratchet"}, "spans": told[at : at + SPANS_A_LINE]}
        resource = {"attributes": _attributes({"service.name": "ratchet", "ratchet.campaign": stored.id})}
        line = {"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]}
        yield json.dumps(line, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n"


def spans_of(ledger: Ledger, stored: StoredCampaign) -> list[Span]:
    """The run first, then every cycle followed by what belongs to it.  What is unfinished ends with its last event."""
    story = _Story(stored)
    for event in ledger.events(stored.id):
        story.hear(event)
    return story.whole()


class _Story:
    """Takes the events in their order, and makes spans of them."""

    def __init__(self, stored: StoredCampaign) -> None:
        self._stored = stored
        self._run = Span(self._id("run"), "", f"campaign {stored.id}", stored.created_at, stored.created_at)
        self._run.attributes = {
            "ratchet.campaign": stored.id,
            "ratchet.kind": stored.definition.kind,
            "ratchet.metric": stored.definition.objective.metric,
            "ratchet.goal": stored.definition.objective.goal,
        }
        self._cycles: dict[int, Span] = {}
        self._inside: dict[int, list[Span]] = {0: []}
        self._jobs: dict[str, JobStarted] = {}

    def _id(self, *parts: Any) -> str:
        return content_hash("span", self._stored.id, self._stored.created_at, *parts)[:16]

    def hear(self, event: AnyEvent) -> None:
        over = self._cycles.get(event.cycle, self._run)
        for span in {id(s): s for s in (over, self._run)}.values():
            span.start, span.end = min(span.start, event.at), max(span.end, event.at)
        match event:
            case CycleStarted():
                name, number = f"cycle {event.cycle}", {"ratchet.cycle": event.cycle}
                self._cycles[event.cycle] = Span(
                    self._id("cycle", event.cycle), self._run.id, name, event.at, event.at, attributes=number
                )
                self._inside.setdefault(event.cycle, [])
            case CycleFinished():
                over.attributes |= {f"ratchet.{name}": value for name, value in event.metrics.items()}
            case JobStarted():
                self._jobs[event.job_id] = event
            case JobFinished():
                self._job(event)
            case ModelCalled():
                self._call(event)
            case CampaignFinished() | CampaignInterrupted():
                self._run.attributes["ratchet.ended"] = event.reason
                over.events.append((event.at, event.type, {"reason": event.reason}))
            case _:
                if (told := _told(event)) is not None:
                    over.events.append((event.at, event.type, told))

    def _job(self, event: JobFinished) -> None:
        outcome, started = event.outcome, self._jobs.pop(event.outcome.job_id, None)
        failed = outcome.status == "failed"
        self._add(
            event.cycle,
            Span(
                self._id("job", outcome.job_id),
                "",
                f"job {event.purpose}",
                started.at if started else event.at - outcome.duration_s,
                event.at,
                attributes={
                    "ratchet.job": outcome.job_id,
                    "ratchet.proposal": outcome.proposal_id,
                    "ratchet.purpose": event.purpose,
                    "ratchet.status": outcome.status,
                    "ratchet.seed": outcome.seed,
                    "ratchet.attempt": outcome.attempt,
                    "ratchet.job_seconds": outcome.duration_s,
                    "ratchet.cpu_seconds": outcome.cpu_s,
                    **({} if event.score is None else {"ratchet.score": event.score}),
                },
                error=(outcome.cause or "failed") if failed else "",
            ),
        )

    def _call(self, event: ModelCalled) -> None:
        self._add(
            event.cycle,
            Span(
                self._id("call", event.key),
                "",
                f"chat {event.model_id}",
                event.at - event.duration_s,
                event.at,
                CLIENT,
                {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.request.model": event.model_id,
                    "gen_ai.usage.input_tokens": event.input_tokens,
                    "gen_ai.usage.output_tokens": event.output_tokens,
                    "ratchet.role": event.role,
                    "ratchet.seat": event.seat,
                    "ratchet.prompt": event.prompt,
                    "ratchet.cost_usd": event.cost_usd,
                },
                error=event.error.partition(":")[0],  # the kind only: its text may hold a prompt
            ),
        )

    def _add(self, cycle: int, span: Span) -> None:
        over = self._cycles.get(cycle, self._run)
        span.parent = over.id
        over.start = min(over.start, span.start)
        self._run.start = min(self._run.start, span.start)
        self._inside.setdefault(cycle if over is not self._run else 0, []).append(span)

    def whole(self) -> list[Span]:
        told = [self._run, *self._inside[0]]
        for number, span in sorted(self._cycles.items()):
            told += [span, *self._inside[number]]
        return told


def _told(event: AnyEvent) -> dict[str, Any] | None:
    """What an event of a cycle says; None for events that have a span, or nothing for a trace."""
    match event:
        case DirectionSet(direction=direction):
            return {"mode": direction.mode, "jobs": direction.jobs, "director": direction.director}
        case ProposalMade(proposal=proposal):
            return {"proposal": proposal.id, "proposer": proposal.proposer, "kind": proposal.kind}
        case VoteCast(vote=vote):
            return {"proposal": vote.proposal_id, "voter": vote.voter, "score": vote.score}
        case ProposalRuled(ruling=ruling):
            return {"proposal": ruling.proposal_id, "decision": ruling.decision, "rule": ruling.rule}
        case RoleFailed():
            return {"role": event.role, "name": event.name, "error": event.error.partition(":")[0]}
        case BaselineMeasured(baseline=baseline):
            return {"score": baseline.mean, "noise_sd": baseline.noise_sd}
        case BestImproved():
            return {"proposal": event.proposal_id, "score": event.score}
        case BestChallenged(challenge=challenge):
            return {"proposal": challenge.proposal_id, "answer": challenge.answer}
        case LessonLearned(lesson=lesson):
            return {"lesson": lesson.id, "kind": lesson.kind}
        case VerdictReached(verdict=verdict):
            return {"proposal": verdict.proposal_id, "answer": verdict.answer, "gain": verdict.gain}
    return None


def _span(span: Span, trace: str) -> dict[str, Any]:
    return {
        "traceId": trace,
        "spanId": span.id,
        "parentSpanId": span.parent,
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": _nanoseconds(span.start),
        "endTimeUnixNano": _nanoseconds(span.end),
        "attributes": _attributes(span.attributes),
        "events": [
            {"timeUnixNano": _nanoseconds(at), "name": name, "attributes": _attributes(told)}
            for at, name, told in span.events
        ],
        "status": {"code": ERROR, "message": span.error} if span.error else {"code": OK},
    }


def _nanoseconds(at: float) -> str:
    return str(round(at * 1e9))


def _attributes(told: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": _value(value)} for name, value in told.items()]


def _value(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            # JSON has no word for them; the mapping of protobuf writes them as text
            return {"doubleValue": value if math.isfinite(value) else _constant(value)}
    return {"stringValue": str(value)}


def _constant(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
