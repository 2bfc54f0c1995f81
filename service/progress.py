"""What happens, line by line, as it happens: a listener on the event stream.

Every line says how long it has been since the start.  On a terminal one more line moves at the bottom (elapsed, best
so far, jobs running, ETA) and nothing is wider than it; elsewhere there is one line an event and nothing moves.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from agents.asking import NO_MODEL
from agents.wording import describe_value
from core.events import (
    AnyEvent,
    ApprovalAsked,
    ApprovalExpired,
    BaselineMeasured,
    BestImproved,
    CampaignResumed,
    CampaignStarted,
    ControlFinished,
    CycleFinished,
    DirectionSet,
    GuidanceDelivered,
    GuidanceDropped,
    GuidanceGiven,
    GuidanceUnused,
    GuidanceUsed,
    JobFinished,
    JobReported,
    JobStarted,
    LessonLearned,
    ModelCalled,
    ModelChosen,
    ProposalApplied,
    ProposalMade,
    ProposalRuled,
    ProposalSharpened,
    RoleFailed,
    VerdictReached,
    VoteCast,
)
from core.records import PATCH, Config, Proposal
from graph.model_use import cause_of
from service.escape import escaped
from service.figures import around, between, signed
from service.live_lines import live_line
from service.output import Output
from service.tables import duration

if TYPE_CHECKING:
    from memory.history import History
    from memory.ledger import StoredCampaign

__all__ = ["Progress", "short"]

CYCLES_FOR_ETA = 3
BAR_WIDTH = 12
FALLBACK_COLUMNS = 80


class Progress:
    """Shows events.  `hear` is what the ledger calls; `tick` moves the clock of the moving line.

    Lines under the labels `untold` are left out; `fitted`: no line is wider than the terminal (default: where one
    moves); `named`: what ids are called.
    """

    def __init__(
        self,
        output: Output,
        stored: StoredCampaign,
        history: History,
        *,
        untold: frozenset[str] = frozenset(),
        fitted: bool | None = None,
        named: Callable[[str], str] = str,
    ) -> None:
        self._output = output
        self._untold = untold
        self._named = named
        self._fitted = output.moving if fitted is None else fitted
        self._id = stored.id
        self._campaign = stored.definition
        self._began = time.monotonic()
        best, baseline = history.best(), history.baseline
        known = [best.score if best else None, baseline.mean if baseline else None]
        self._best: float | None = max((s for s in known if s is not None), default=None)
        self._running: dict[str, str] = {}
        self._cycles: list[float] = []
        self._last_cycle = history.last_finished_cycle
        self._proposers = {p: m.proposal.proposer for c in history.cycles.values() for p, m in c.proposals.items()}
        self._silent: set[str] = set()
        self._reported = False
        self._line = ""
        self._held = False

    def hear(self, event: AnyEvent) -> None:
        """One event: a line of JSON in the stream, a line of text for people."""
        self._output.record(event.model_dump(mode="json", exclude={"version"}))
        if self._output.mode == "text" and not self._output.quiet:
            self._clear()
            self._show(event)
            self._draw()

    def tick(self) -> None:
        """Draw the moving line again."""
        if self._output.moving:
            self._clear()
            self._draw()

    def hold(self, held: bool) -> None:
        """While it is held the moving line stays away: a question stands on the screen."""
        self._held = held
        self._clear()

    def close(self) -> None:
        """Take the moving line away."""
        self._clear()

    # ----------------------------------------------------------------- lines

    def _show(self, event: AnyEvent) -> None:
        metric, objective = self._campaign.objective.metric, self._campaign.objective
        cycle = event.cycle
        match event:
            case CampaignStarted() | CampaignResumed() if self._campaign.live is not None:
                done = f", {self._last_cycle} done" if self._last_cycle else ""
                listens = f"a cycle begins with {duration(self._campaign.live.listen_s)} of telemetry"
                self._tell(cycle, "campaign", f"{self._id}: {self._campaign.budget.cycles} cycles{done}; {listens}")
            case CampaignStarted() | CampaignResumed():
                budget, limits = self._campaign.budget, self._campaign.limits
                size = f"{budget.cycles} cycles of up to {self._campaign.council.jobs_per_cycle} jobs"
                done = f", {self._last_cycle} done" if self._last_cycle else ""
                self._tell(cycle, "campaign", f"{self._id}: {size}{done}, {limits.parallel} jobs at once")
            case ModelChosen():
                self._tell(cycle, "model", f"{event.asked} is {event.model}: {event.reason}")
            case ModelCalled() if event.error:
                instead = "it abstains" if event.role == "voter" else "rules decide"
                self._tell(cycle, "model", f"{event.seat}: {cause_of(event.error)}; {instead}", "bad")
            case ModelCalled() if self._output.verbose:
                tokens = event.input_tokens + event.output_tokens
                took = f"{tokens} tokens in {event.duration_s:.1f} s"
                self._tell(cycle, "model", f"{event.role} {event.seat}: {event.prompt} {event.edition}, {took}")
            case BaselineMeasured():
                baseline = event.baseline
                self._best = baseline.mean
                value = around(objective.value(baseline.mean), baseline.noise_sd)
                self._tell(cycle, "baseline", f"{metric} {value} over {len(baseline.seeds)} seeds")
            case DirectionSet():
                self._tell(cycle, "director", f"{event.direction.mode}: {event.direction.reason}")
            case GuidanceGiven():
                said = event.guidance
                self._tell(
                    cycle,
                    "guidance",
                    f"{said.id} queued for the next {'node' if said.urgent else 'cycle'}: {said.text}",
                )
            case GuidanceDelivered():
                said = event.guidance
                means = "; ".join(map(str, said.meanings)) or "nothing that was understood"
                self._tell(cycle, "guidance", f"{said.id} delivered to the {event.node}: {means}")
            case GuidanceUsed():
                what = ", ".join(event.proposals) or event.note or "; ".join(c.what for c in event.changes)
                self._tell(cycle, "guidance", f"{event.guidance_id} used by the {event.node}: {what}")
            case GuidanceUnused():
                self._tell(cycle, "guidance", f"{event.guidance_id} {event.reason}")
            case GuidanceDropped():
                self._tell(cycle, "guidance", f"{event.guidance_id} dropped by {event.author}")
            case ProposalMade():
                proposal = event.proposal
                self._proposers[proposal.id] = proposal.proposer
                foreseen = ""
                if proposal.expected is not None:
                    foreseen = f" ({around(objective.value(proposal.expected.mean), proposal.expected.sd)}?)"
                what = _what(proposal)
                self._tell(cycle, "proposal", f"{proposal.id} {proposal.proposer}{foreseen} {what}")
            case ProposalSharpened():
                gained = f"reward {event.before:.3f} → {event.after:.3f} in {event.rounds} rounds"
                self._tell(cycle, "sharpened", f"{event.proposal.id} {gained}")
            case ProposalApplied():
                outcome = event.outcome
                self._tell(cycle, "applied", f"{outcome.proposal_id} {outcome.status}: {outcome.reason}")
            case VoteCast() if event.vote.reason.endswith(NO_MODEL) and event.vote.voter not in self._silent:
                self._silent.add(event.vote.voter)
                self._tell(cycle, "voter", f"{event.vote.voter} abstains: {NO_MODEL} at its seat", "strong")
            case VoteCast() if self._output.verbose:
                vote = event.vote
                self._tell(cycle, "vote", f"{vote.proposal_id} {vote.voter} {vote.score:+.2f}: {vote.reason}")
            case ProposalRuled() if self._output.verbose or event.approval or event.ruling.decision != "reject":
                ruling = event.ruling
                who = "approval" if event.approval else "supervisor"
                self._tell(cycle, who, f"{ruling.decision} {ruling.proposal_id} ({ruling.reason})")
            case ApprovalAsked():
                asked = event.approval
                self._tell(cycle, "asked", f"{asked.id} {asked.tier} risk ({asked.risk:.2f}): {asked.title}", "strong")
            case ApprovalExpired():
                self._tell(cycle, "expired", f"{event.approval_id}: {event.consequence}")
            case _ if (line := live_line(event, self._output.verbose)) is not None:
                self._tell(event.cycle, *line)
            case RoleFailed():
                self._tell(cycle, "failed", f"{event.role} {event.name}: {event.error}", "bad")
            case JobStarted():
                self._running[event.job_id] = event.purpose
            case JobReported():
                if not self._reported and self._best is None:  # the first number there is
                    self._reported = True
                    told = ", ".join(f"{name} {value:.5g}" for name, value in event.metrics.items())
                    self._tell(cycle, "report", f"{self._named(event.job_id)} so far: {told}")
                self._running[event.job_id] = ", ".join(f"{k} {v:.4g}" for k, v in event.metrics.items())
            case JobFinished():
                self._running.pop(event.outcome.job_id, None)
                self._job_line(event)
            case BestImproved():
                gain = "" if event.previous is None else f" ({signed(event.score - event.previous)})"
                self._best = event.score
                value = f"{metric} {objective.value(event.score):.5g}{gain}"
                who = self._proposers.get(event.proposal_id, "")
                self._tell(cycle, "new best", f"{value}, {event.proposal_id} {who}", "good")
            case LessonLearned():
                self._tell(cycle, "lesson", event.lesson.text)
            case CycleFinished():
                self._cycles.append(time.monotonic())
                self._last_cycle = cycle
                if event.metrics.get("total_proposals") == 0 and self._campaign.live is None:
                    self._tell(cycle, "proposal", "none: nobody had anything new to offer")
            case ControlFinished():
                best = max((s for s in event.scores if s is not None), default=None)
                shown = "no result" if best is None else f"best {metric} {objective.value(best):.5g}"
                self._tell(cycle, "control", f"{event.arm} search: {shown} in {len(event.scores)} jobs")
            case VerdictReached():
                verdict = event.verdict
                gain = signed(verdict.gain, (verdict.high - verdict.low) / 2)
                text = f"{verdict.answer}: {gain} {between(verdict.low, verdict.high)}"
                self._tell(cycle, "verdict", f"{text} on {len(verdict.seeds)} fresh pairs", "strong")
            case _:
                pass

    def _job_line(self, event: JobFinished) -> None:
        outcome, objective = event.outcome, self._campaign.objective
        who: str = event.purpose
        if event.purpose == "proposal":
            who = self._proposers.get(outcome.proposal_id, "proposal")
        if outcome.ok and event.score is not None:
            end, style = f"{objective.metric} {objective.value(event.score):.5g}", ""
        else:
            end, style = f"{outcome.status}: {outcome.reason or outcome.cause}", "bad"
        best = "" if self._best is None else f"  best {objective.value(self._best):.5g}"
        self._tell(
            event.cycle, "job", f"{self._named(outcome.job_id)} {who} {end} in {outcome.duration_s:.1f}s{best}", style
        )

    def _tell(self, cycle: int, what: str, text: str, style: str = "") -> None:
        if what in self._untold:
            return
        line = escaped(f"{self._elapsed():>6} {cycle or '':>3} {what:<10} {text}").replace("\n", " ")
        if self._fitted and not self._output.verbose:
            line = _fit(line)
        self._output.say(self._output.paint(line, style) if style else line)

    def _elapsed(self) -> str:
        seconds = time.monotonic() - self._began
        return f"{seconds:.1f}s" if seconds < 600 else f"{seconds / 60:.0f}min"

    # ------------------------------------------------------- the moving line

    def _draw(self) -> None:
        if not self._output.moving or self._held:
            return
        total = self._campaign.budget.cycles
        done = min(self._last_cycle, total)
        bar = "#" * round(BAR_WIDTH * done / total)
        best = "–" if self._best is None else f"{self._campaign.objective.value(self._best):.5g}"
        line = f"{self._elapsed():>6} [{bar:<{BAR_WIDTH}}] {done}/{total} cycles  best {best}{self._eta(total - done)}"
        if self._running:
            line += f"  {len(self._running)} running ({list(self._running.values())[-1]})"
        self._line = _fit(escaped(line))
        self._output.talk(self._line)

    def _eta(self, left: int) -> str:
        if len(self._cycles) < CYCLES_FOR_ETA or left <= 0:
            return ""
        pace = (self._cycles[-1] - self._cycles[0]) / (len(self._cycles) - 1)
        return f"  about {pace * left:.0f}s left"

    def _clear(self) -> None:
        if self._line:
            self._output.talk("\r\x1b[2K")
            self._line = ""


def _fit(line: str) -> str:
    """The line within the terminal behind stderr."""
    try:
        columns = os.get_terminal_size(sys.stderr.fileno()).columns or FALLBACK_COLUMNS
    except OSError:
        columns = FALLBACK_COLUMNS
    return line if len(line) < columns else line[: columns - 2] + "…"


def _what(proposal: Proposal) -> str:
    """What a proposal changes, in half a line."""
    if proposal.kind == "experiment":
        return short(proposal.config)
    if proposal.is_trial:
        return f"{proposal.operator}: {proposal.rationale}"
    return f"{proposal.kind} of {', '.join(proposal.files)}"


def short(config: Config, limit: int = 70) -> str:
    """`model=mlp lr=0.003 …`, at most `limit` characters."""
    told = ((name, f"{value[7:17]}" if name == PATCH and value else value) for name, value in config.items())
    text = " ".join(f"{name}={describe_value(value)}" for name, value in told)
    return text if len(text) <= limit else text[: limit - 1] + "…"
