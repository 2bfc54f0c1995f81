"""Proposals of a language model: a free idea, and one by analogy with what is remembered.

A proposal of a model is one like any other: it lies in the space, is voted on, and the job decides.  What cannot be
run, was tried or is forbidden is sent back; without an answer a proposer of rules takes the seat for this cycle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from agents import briefing, guards
from agents.answers import AnalogyAnswer, IdeaAnswer
from agents.asking import ask
from agents.personas import FILE, PersonaRegistry
from agents.registry import make, proposer
from agents.roles import Case, Kit, Proposer
from core.campaign import Use
from core.errors import ConfigError
from core.records import Config, Memory, Proposal
from search.constraints import violations
from search.rules import broken

__all__ = ["analogy", "idea"]


Count = Annotated[int, Field(ge=1, le=2)]


@proposer("idea")
def idea(count: Count = 1, rules: str = "quasi_random", persona: str = "", file: str = FILE) -> Proposer:
    """`count` configurations that the model thinks of, as changes of the best so far.

    In the part of `persona`, with its model and temperature, if one is named that has the permission to propose.
    """
    by_rules: Proposer = make("proposer", Use(use=rules), Path())

    async def propose(case: Case, kit: Kit) -> Sequence[Proposal]:
        who = PersonaRegistry(Path(case.campaign.here), file).seated(persona) if persona else None
        if who is not None and "propose" not in who.permissions:
            return await _by_rules(by_rules, "idea", f"{who.name} may not propose", case, kit)
        asking = kit if who is None else kit.with_model(who.model, who.temperature)
        answer, why = await ask(
            asking,
            "proposer/idea",
            IdeaAnswer,
            lambda told: _faults(told, case),
            persona=who.description if who else "",
            facts=briefing.facts(case),
            history=briefing.history(case),
            guidance=briefing.guidance(case),
            mode=case.mode,
            count=count,
        )
        if answer is None:
            return await _by_rules(by_rules, "idea", why, case, kit)
        return [
            case.propose("idea", changed(one.changes, case), one.reason, parents=_parents(case), source="model")
            for one in answer.proposals[:count]
        ]

    return propose


@proposer("analogy")
def analogy(count: Count = 1, recalled: Annotated[int, Field(ge=1, le=20)] = 5, rules: str = "recombine") -> Proposer:
    """`count` configurations by analogy with up to `recalled` remembered trajectories, which it names."""
    by_rules: Proposer = make("proposer", Use(use=rules), Path())

    async def propose(case: Case, kit: Kit) -> Sequence[Proposal]:
        objective = case.campaign.objective
        question = f"{case.campaign.name}: best {objective.metric}, {objective.goal}"
        memories = {m.id: m for m in kit.remembered(question, k=recalled)}
        if not memories:
            return await _by_rules(by_rules, "analogy", "nothing is remembered", case, kit)

        def faults(told: AnalogyAnswer) -> list[str]:
            odd = [name for one in told.proposals for name in one.memories if name not in memories]
            return [f"there is no memory {name!r}" for name in odd] + _faults(told, case, tuple(memories.values()))

        answer, why = await ask(
            kit,
            "proposer/analogy",
            AnalogyAnswer,
            faults,
            facts=briefing.facts(case),
            history=briefing.history(case),
            memories="\n".join(f"{m.id}: {briefing.one_line(m.text)}" for m in memories.values()),
            count=count,
        )
        if answer is None:
            return await _by_rules(by_rules, "analogy", why, case, kit)
        return [
            case.propose(
                "analogy",
                changed(one.changes, case),
                one.reason,
                parents=(*_parents(case), *_lineage(one.memories, memories)),
                memories=tuple(dict.fromkeys(one.memories)),
                source="model",
            )
            for one in answer.proposals[:count]
        ]

    return propose


def changed(changes: dict[str, Any], case: Case) -> Config:
    """The best configuration so far (else the baseline) with `changes`; what is then inactive left out.

    Parameters that come to exist by a change stand at their defaults.  Raises ConfigError for an unknown parameter, one
    that does not exist beside these values, or a value outside its bounds: nothing is clipped.
    """
    start = case.best.config if case.best is not None else case.campaign.baseline
    config = case.space.completed({**start, **changes})
    for name in changes:
        if name not in config:
            raise ConfigError(f"{name} does not exist beside these values", hint="leave it out")
    return config


def _faults(told: IdeaAnswer | AnalogyAnswer, case: Case, memories: Sequence[Memory] = ()) -> list[str]:
    shown = [one.text for one in case.guidance]
    faults: list[str] = []
    configs: list[Config] = []
    for number, one in enumerate(told.proposals, 1):
        where = f"proposal {number}"
        faults += [f"{where}: {fault}" for fault in guards.judged(one.reason, case, shown, memories=memories)]
        try:
            config = changed(one.changes, case)
        except ConfigError as error:
            faults.append(f"{where}: {error.what}; {error.hint}")
            continue
        faults += [
            f"{where}: forbidden: {region.reason or region}" for region in violations(config, case.forbidden())[:1]
        ]
        faults += [f"{where}: {rule.reason}" for rule in broken(config, case.rules())[:1]]
        if config in configs:
            faults.append(f"{where}: the same as an earlier one")
        configs.append(config)
        if case.nearest_gap(config) == 0:
            faults.append(f"{where}: exactly this was tried before")
    return faults


async def _by_rules(rules: Proposer, seat: str, why: str, case: Case, kit: Kit) -> list[Proposal]:
    """What the rules propose instead, under this seat's name."""
    made = await rules(case, kit)
    return [
        Proposal.make(
            **p.model_dump(exclude={"id", "version", "proposer", "rationale"}),
            proposer=seat,
            rationale=f"{p.rationale} ({p.proposer}: {why})",
        )
        for p in made[:1]
    ]


def _lineage(used: Sequence[str], memories: Mapping[str, Memory]) -> tuple[str, ...]:
    """The proposals behind the memories that were used."""
    return tuple(dict.fromkeys(parent for name in used if (parent := memories[name].proposal_id)))


def _parents(case: Case) -> tuple[str, ...]:
    return (case.best.proposal.id,) if case.best is not None else ("baseline",)
