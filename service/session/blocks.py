"""One block a finished cycle: its reward, then director, proposers, votes, rulings and jobs, a row each.

4  accuracy 0.9312  new best +0.0075 ±0.0020  recombination won 3-1  jobs 2 ok  14.2s
   director    exploit: gain 0.0075 in the last 2 cycles
   proposers   d5 bayes   lr=0.0031 C=0.8    predicts 0.934 ± 0.006
   ...
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from core.campaign import Campaign
from core.events import GuidanceUsed, JobFinished
from core.records import Proposal
from memory.history import Cycle, History
from service.escape import escaped
from service.figures import around, signed
from service.progress import short
from service.session.bars import bar, sparkline
from service.session.look import Look
from service.session.names import Names

__all__ = ["Block", "best_so_far", "fitted"]

LABEL = 12
INDENT = 4
BAR = 8
SPARKS = 40
MOST_CHARACTERS = 200
MOST_ROWS = 8
"""Rows under one label; more are counted."""


def best_so_far(history: History) -> list[float]:
    """The best score after each finished cycle, the baseline's before them; a best inside the noise does not count
    before its repeats have confirmed it.
    """
    best: list[float] = [history.baseline.mean] if history.baseline else []
    improved = {event.cycle: event.score for event in history.improvements}
    for number in range(1, history.last_finished_cycle + 1):
        best += [improved[number]] if number in improved else best[-1:]
    return best


@dataclass(frozen=True)
class Block:
    """The block of one cycle of a history.  `rows` are (style, text); nothing in them moves the cursor."""

    campaign: Campaign
    history: History
    cycle: Cycle
    names: Names
    look: Look

    def text(self) -> str:
        """The rows as a terminal shows them, each within the width."""
        return "".join(fitted(text, style, self.look) for style, text in self.rows())

    def rows(self) -> Iterator[tuple[str, str]]:
        yield ("bold green" if self._improved else "bold"), self._head()
        if direction := self.cycle.direction:
            focus = f"; focus on {', '.join(direction.focus)}" if direction.focus else ""
            yield from _labelled("director", [f"{direction.mode}: {direction.reason}{focus}"])
        yield from _labelled("proposers", [self._proposal(name) for name in self.cycle.proposals])
        yield from _labelled("vote", list(self._votes()))
        yield from _labelled("supervisor", [self._ruling(name) for name in self.cycle.rulings])
        yield from _labelled("executor", list(self._jobs()))
        used = [event for event in self.history.guidance_used if event.cycle == self.cycle.number]
        yield from _labelled("guidance", [self._used(event) for event in used])
        failures = [f"{one.role} {one.name}: {one.error}" for one in self.cycle.failures]
        yield from (("red", text) for _, text in _labelled("failed", failures))
        learned = [one.text for one in self.history.all_lessons() if one.cycle == self.cycle.number]
        yield from _labelled("learned", learned)
        yield from _labelled("so far", self._so_far())

    # ------------------------------------------------------------------ rows

    @property
    def _improved(self) -> bool:
        return any(event.cycle == self.cycle.number for event in self.history.improvements)

    def _head(self) -> str:
        objective = self.campaign.objective
        scores = [event.score for event in self.cycle.outcomes.values() if event.score is not None]
        reward = f"{objective.value(max(scores)):.5g}" if scores else "no result"
        parts = [f"{objective.metric} {reward}"]
        noise = self.history.baseline.noise_sd if self.history.baseline else 0.0
        best = next((e for e in reversed(self.history.improvements) if e.cycle == self.cycle.number), None)
        if best is not None:
            gain = "" if best.previous is None else f" {signed(best.score - best.previous, noise)}"
            parts.append(f"new best{gain}" + (f" ±{noise:.2g}" if noise else ""))
        elif known := best_so_far(self.history):
            parts.append(f"best {objective.value(known[-1]):.5g}")
        if won := self._won():
            parts.append(won)
        parts.append(self._job_count())
        if self.cycle.finished and self.cycle.started_at:
            parts.append(f"{max(0.0, self.cycle.finished.at - self.cycle.started_at):.1f}s")
        return f"{self.cycle.number:>{INDENT - 2}}  " + "  ".join(parts)

    def _won(self) -> str:
        """Whose proposal was carried out, and how many voters were for it and against."""
        for name, event in self.cycle.rulings.items():
            if event.ruling.decision in ("accept", "amend") and name in self.cycle.proposals:
                votes = [told.vote.score for told in self.cycle.votes.get(name, [])]
                for_it = sum(score > 0 for score in votes)
                return f"{self._who(name)} won {for_it}-{len(votes) - for_it}"
        return "nothing was accepted" if self.cycle.proposals else "nothing was proposed"

    def _job_count(self) -> str:
        ended = [event.outcome.status for event in self._ended()]
        counted = ", ".join(f"{ended.count(status)} {status}" for status in dict.fromkeys(ended))
        return f"jobs {counted or 'none'}"

    def _proposal(self, name: str) -> str:
        proposal = self.cycle.voted_on(name)
        parents = f"  from {', '.join(self.names.of(p) for p in proposal.parents)}" if proposal.parents else ""
        foreseen = ""
        if proposal.expected is not None:
            value = self.campaign.objective.value(proposal.expected.mean)
            foreseen = f"  predicts {around(value, proposal.expected.sd)}"
        cited = f"  heeds {', '.join(proposal.guidance)}" if proposal.guidance else ""
        return f"{self.names.of(name):<4} {proposal.proposer}{foreseen}{cited}{parents}  {_what(proposal)}"

    def _votes(self) -> Iterator[str]:
        weights: dict[str, float] = {}
        for name, event in self.cycle.tallies.items():
            tally = event.tally
            weights |= tally.weights
            drawn = bar(tally.score, BAR, unicode=self.look.unicode)
            vetoed = f"  vetoed by {', '.join(tally.vetoed_by)}" if tally.vetoed_by else ""
            yield f"{self.names.of(name):<4} {self._who(name):<16} {tally.score:+.2f} {drawn}{vetoed}"
        if weights:
            told = "  ".join(f"{voter} {weight:.2f}".replace(" ", "\xa0") for voter, weight in weights.items())
            for line in textwrap.wrap(f"weights: {told}", self.look.width - INDENT - LABEL - 1):
                yield line.replace("\xa0", " ")

    def _ruling(self, name: str) -> str:
        ruling = self.cycle.rulings[name].ruling
        return f"{ruling.decision} {self.names.of(name)} {self._who(name)} ({ruling.reason})"

    def _jobs(self) -> Iterator[str]:
        for event in self._ended():
            outcome, objective = event.outcome, self.campaign.objective
            what = event.purpose if event.purpose != "proposal" else ""
            about = self.names.of(outcome.proposal_id)
            if outcome.ok and event.score is not None:
                end = f"{objective.metric} {objective.value(event.score):.5g}"
            else:
                end = f"{outcome.status}: {outcome.reason or outcome.cause}"
            words = (self.names.of(outcome.job_id), about, what, f"seed {outcome.seed}", end)
            yield " ".join(word for word in words if word) + f"  in {outcome.duration_s:.1f}s"
        for name, applied in self.cycle.applied.items():
            yield f"{self.names.of(name)} {applied.outcome.status}: {applied.outcome.reason}"

    def _used(self, event: GuidanceUsed) -> str:
        changes = "; ".join(f"{self.names.of(change.proposal_id)} {change.what}" for change in event.changes)
        return f"{event.guidance_id} used by {event.node}: {changes or event.note or 'cited'}"

    def _so_far(self) -> list[str]:
        known = best_so_far(self.history)
        if len(known) < 2:
            return []
        objective = self.campaign.objective
        line = sparkline(known, SPARKS, unicode=self.look.unicode)
        return [f"{line}  best {objective.metric} {objective.value(known[0]):.5g} → {objective.value(known[-1]):.5g}"]

    def _ended(self) -> list[JobFinished]:
        started = [job for job, event in self.history.jobs.items() if event.cycle == self.cycle.number]
        return [self.history.ends[job] for job in started if job in self.history.ends]

    def _who(self, name: str) -> str:
        made = self.cycle.proposals.get(name)
        return made.proposal.proposer if made else ""


def _what(proposal: Proposal) -> str:
    if proposal.kind == "experiment":
        return short(proposal.config, MOST_CHARACTERS)
    if proposal.is_trial:
        return f"{proposal.operator}: {proposal.rationale}"
    return f"{proposal.kind} of {', '.join(proposal.files)}"


def _labelled(label: str, texts: list[str]) -> Iterator[tuple[str, str]]:
    """Rows under their label, the first beside it."""
    shown = texts[:MOST_ROWS]
    if len(texts) > MOST_ROWS:
        shown.append(f"and {len(texts) - MOST_ROWS} more")
    for text in shown:
        yield "", f"{'':<{INDENT}}{label:<{LABEL}}{text}"
        label = ""


def fitted(text: str, style: str, look: Look) -> str:
    """One line of at most `look.width` columns, however wide its characters are, in its style; with a newline."""
    from rich.cells import cell_len, set_cell_size
    from rich.console import Console
    from rich.text import Text

    line = " ".join(escaped(text).split("\n")).replace("\t", " ").rstrip()
    if cell_len(line) > look.width - 1:
        dots = "…" if look.unicode else "..."
        line = set_cell_size(line, look.width - 1 - len(dots)).rstrip() + dots
    if not (look.color and style):
        return line + "\n"
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, color_system="standard", width=look.width, highlight=False)
    console.print(Text(line, style=style), soft_wrap=True)
    return file.getvalue()
