"""A language model as a voter, in the part of a persona.

One call a cycle judges everything on the table.  The proposals are shown by letters in a shuffled order, so that
neither place nor proposer sways the judge, and one planted configuration that is known to be bad is among them: a judge
who approves that one is hardly believed in this cycle.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from agents import briefing, guards
from agents.answers import DissentAnswer, JudgementAnswer
from agents.asking import ask
from agents.personas import DISSENTER, FILE, Persona, PersonaRegistry
from agents.registry import voter
from agents.roles import Case, Kit, Voter
from core.records import Proposal, Vote
from prompts import load
from search.constraints import violations

__all__ = ["persona"]

APPROVES = 0.0
"""A score of the planted configuration above which the judge has failed."""
FOOLED = 0.25
"""Share of its confidence that is left to a judge who approved the planted configuration."""
LETTERS = string.ascii_uppercase[:16]
"""So many lie on the table at once, the planted one among them."""
DRAWS = 200
"""Configurations that are drawn to find a forbidden one."""


@dataclass(frozen=True)
class _Table:
    """What is shown: letters → proposals, among them maybe a planted one."""

    by_letter: dict[str, Proposal]
    planted: str

    def text(self, case: Case, most: int) -> str:
        """A line each, in at most `most` characters: a long one is cut, and crowds nobody out."""
        share = most // len(self.by_letter) - 4
        return "\n".join(
            f"{letter}: {briefing.one_line(_line(p, case), share)}" for letter, p in self.by_letter.items()
        )

    def said(self) -> list[str]:
        """What else stands on the table and may be quoted."""
        return [*self.by_letter, *(p.rationale for p in self.by_letter.values())]


@voter("persona", kinds=("experiment", "code"))
def persona(persona: str = "critical", file: str = FILE) -> Voter:
    """Votes as `persona` does (of `file` beside the campaign, or one that ships); abstains without an answer.

    Who sits there is asked anew each cycle (`PersonaRegistry.switch`).

    Without the permission to veto, its no is never a veto.  The dissenter objects to the favourite of the world model.
    """
    PersonaRegistry().names()  # what ships is readable

    async def vote(proposal: Proposal, case: Case, kit: Kit) -> Vote:
        key = ("persona", persona, file, kit.model.id if kit.model else "")
        if key not in case.memo:
            case.memo[key] = await _judge_all(persona, file, case, kit)
        votes: dict[str, Vote] = case.memo[key]
        return votes.get(proposal.id) or _abstains(proposal, persona, "it was not asked about this one")

    return vote


async def _judge_all(seat: str, file: str, case: Case, kit: Kit) -> dict[str, Vote]:
    who = PersonaRegistry(Path(case.campaign.here), file).seated(seat)
    proposals = [p for p in case.proposals if p.is_trial]
    if not proposals:
        return {}
    table = _laid_out(proposals, case, kit)
    case = replace(case, proposals=tuple(table.by_letter.values()))  # the planted one may be spoken of like the others
    kit = kit.with_model(who.model, who.temperature)
    prompt = "voter/dissent" if who.name == DISSENTER else "voter/judgement"
    told = {
        "persona": who.description,
        "facts": briefing.facts(case),
        "history": briefing.history(case),
        "proposals": table.text(case, load(prompt).variables["proposals"].max_chars),
    }
    answer: JudgementAnswer | None
    if who.name == DISSENTER:
        favourite = _favourite(table)
        answer, why = await ask(
            kit, prompt, DissentAnswer, lambda a: _dissent_faults(a, table, favourite, case),
            favourite=favourite, **told,
        )  # fmt: skip
    else:
        answer, why = await ask(kit, prompt, JudgementAnswer, lambda a: _faults(a, table, case), **told)
    if answer is None:
        return {p.id: _abstains(p, who.name, why) for p in proposals}
    return _votes(answer, table, who, "" if who.name == seat else f" (in the part of {who.name})")


def _votes(answer: JudgementAnswer, table: _Table, who: Persona, part: str) -> dict[str, Vote]:
    fooled = any(j.label == table.planted and j.score > APPROVES for j in answer.judgements)
    votes: dict[str, Vote] = {}
    for judgement in answer.judgements:
        if judgement.label == table.planted or judgement.label not in table.by_letter:
            continue
        proposal = table.by_letter[judgement.label]
        reason, confidence, score = judgement.reason, judgement.confidence, judgement.score
        if isinstance(answer, DissentAnswer) and answer.objection.label == judgement.label:
            reason, score = f"objects: {answer.objection.reason}", min(score, 0.0)
        if fooled:
            confidence *= FOOLED
            reason += " (it approved a configuration that is known to be bad: hardly believed)"
        if "veto" not in who.permissions:
            score = max(score, -0.99)
        if "vote" not in who.permissions:
            confidence = 0.0
        votes[proposal.id] = Vote(
            proposal_id=proposal.id,
            voter=who.name,
            score=score,
            confidence=confidence,
            reason=reason + part,
            source="model",
        )
    return votes


def _laid_out(proposals: Sequence[Proposal], case: Case, kit: Kit) -> _Table:
    planted = _known_to_be_bad(case, proposals, kit)
    shown = [*proposals[: len(LETTERS) - 1], *([planted] if planted else [])]
    order = kit.rng.permutation(len(shown))
    by_letter = {LETTERS[place]: shown[int(index)] for place, index in enumerate(order)}
    letter = next((name for name, p in by_letter.items() if planted and p.id == planted.id), "")
    return _Table(by_letter, letter)


def _known_to_be_bad(case: Case, proposals: Sequence[Proposal], kit: Kit) -> Proposal | None:
    """A trial that failed, else the worst that is clearly below the baseline, else a forbidden configuration.

    Only what the judge is shown counts as known.  None where nothing is.  It looks like the others: with a rationale
    and what is expected of it.
    """
    shown = briefing.shown(case)
    failed = [e for e in shown if e.outcome.status == "failed" and e.outcome.tells_of_config]
    floor = case.baseline.mean - 3 * case.baseline.noise_sd if case.baseline else -np.inf
    poor = sorted((e for e in shown if e.score is not None and e.score < floor), key=lambda e: e.score or 0.0)
    found = [e.proposal for e in failed[-1:] or poor[:1]] or _forbidden(case, proposals, kit)
    if not found:
        return None
    if found[0].kind == "code":
        return found[0].model_copy(update={"id": "planted"})
    score, _ = case.oracle().expect(found[0].config)
    return found[0].model_copy(update={"id": "planted", "expected": score})


def _forbidden(case: Case, proposals: Sequence[Proposal], kit: Kit) -> list[Proposal]:
    """A drawn configuration that breaks a constraint, with somebody else's rationale; nothing where none is met."""
    forbidden = case.forbidden()[: briefing.FORBIDDEN]
    drawn = (case.space.sample(kit.rng) for _ in range(DRAWS if forbidden else 0))
    bad = next((config for config in drawn if violations(config, forbidden)), None)
    return [] if bad is None else [proposals[0].model_copy(update={"config": bad})]


def _favourite(table: _Table) -> str:
    """The letter of the proposal that the world model expects most of."""
    letters = [letter for letter in table.by_letter if letter != table.planted]
    return max(letters, key=lambda one: e.mean if (e := table.by_letter[one].expected) else -np.inf)


def _faults(answer: JudgementAnswer, table: _Table, case: Case) -> list[str]:
    labels = [judgement.label for judgement in answer.judgements]
    faults = [f"there is no {label!r} on the table" for label in labels if label not in table.by_letter]
    faults += [f"{label} is not judged" for label in table.by_letter if label not in labels]
    faults += [f"{label} is judged twice" for label in dict.fromkeys(labels) if labels.count(label) > 1]
    return faults + [fault for j in answer.judgements for fault in guards.judged(j.reason, case, table.said())]


def _dissent_faults(answer: DissentAnswer, table: _Table, favourite: str, case: Case) -> list[str]:
    faults = _faults(answer, table, case) + guards.judged(answer.objection.reason, case, table.said())
    if answer.objection.label != favourite:
        faults.append(f"the objection must be to {favourite}, the favourite")
    return faults


def _line(proposal: Proposal, case: Case) -> str:
    """A proposal without its proposer's name, which would sway the judge."""
    return briefing.proposal_line(proposal, case).replace(f"{proposal.proposer}: ", "", 1)


def _abstains(proposal: Proposal, name: str, why: str) -> Vote:
    return Vote(proposal_id=proposal.id, voter=name, score=0.0, confidence=0.0, reason=f"no opinion: {why}")
