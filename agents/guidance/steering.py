"""What the guidance in force comes to: limits, preferences, focus and mode, with what gives way to what.

The later wins: what contradicts a later guidance is set aside, as is what would leave nothing to try.  What memory
suggests comes before all that people say, and never limits anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from agents.guidance.limits import InForce, box_of, is_against, regions_of
from agents.guidance.reading import conflict
from core.guidance import Guidance, Meaning, WhyUnused
from core.records import PATCH, Direction, Experiment, Proposal
from search.box import Box
from search.constraints import Forbidden, Region, violations
from search.parameters import Choice, same
from search.space import Space

__all__ = ["SEAT", "InForce", "SetAside", "Steering", "matches"]

SEAT = "guidance"
"""The name of the proposer and the voter that speak for guidance."""
DRAWS = 128
"""Places of the box that are looked at, to see whether anything is left beside the campaign's own constraints."""
FOCUSED = 8.0
PREFERRED = 4.0
"""How many times likelier a transformation is drawn."""


@dataclass(frozen=True)
class SetAside:
    """A meaning that is not followed, and why."""

    guidance_id: str
    meaning: Meaning
    why: WhyUnused
    reason: str


@dataclass(frozen=True)
class Steering:
    """Of one campaign at one moment.  `forbidden` is what the campaign itself does not allow."""

    guidance: tuple[Guidance, ...]
    space: Space
    forbidden: Sequence[Forbidden] = field(default=(), compare=False)

    # ---------------------------------------------------------------- in force

    @cached_property
    def _settled(self) -> tuple[list[InForce], list[SetAside]]:
        held: list[InForce] = []
        aside: list[SetAside] = []
        for guidance in sorted(self.guidance, key=_order):
            for meaning in guidance.meanings:
                one = InForce(guidance, meaning)
                rest, lost = self._making_room(held, one)
                if rest is None:
                    reason = f"{meaning}: nothing would be left to try"
                    aside.append(SetAside(guidance.id, meaning, "not applied", reason))
                    continue
                aside += [
                    SetAside(x.id, x.meaning, "contradicted", f"{x.meaning}: {guidance.id} says {meaning}")
                    for x in lost
                ]
                held = [*rest, one]
        return held, aside

    @property
    def held(self) -> list[InForce]:
        """What is followed, oldest first."""
        return self._settled[0]

    @property
    def aside(self) -> list[SetAside]:
        """What is not followed."""
        return self._settled[1]

    def _making_room(self, held: Sequence[InForce], one: InForce) -> tuple[list[InForce] | None, list[InForce]]:
        """What stays in force beside `one`, and what gives way; None where nothing would be left of the space."""
        lost = [x for x in held if x.guidance is not one.guidance and _gives_way(x.meaning, one.meaning)]
        rest = [x for x in held if x not in lost]
        if not one.meaning.hard or one.meaning.target != "parameter":
            return rest, lost
        rivals = [x for x in rest if x.meaning.hard and x.meaning.name == one.meaning.name]
        while self._nothing_left([*rest, one]):
            rival = next((x for x in rivals if x.guidance is not one.guidance and x in rest), None)
            if rival is None:
                return None, []
            rest.remove(rival)
            lost.append(rival)
        return rest, lost

    def _nothing_left(self, held: Sequence[InForce]) -> bool:
        box, regions = box_of(self.space, held), [*self.forbidden, *(r for x in held for r in regions_of(x))]
        if box.empty:
            return True
        if not regions:
            return False
        places = self.space.sobol_rows(DRAWS, seed=0)
        return all(violations(box.place(u), regions) for u in places)

    # ------------------------------------------------------------------ limits

    @cached_property
    def box(self) -> Box | None:
        """What the limits leave of the space; None where they leave all of it."""
        box = box_of(self.space, self.held)
        return box if box.names else None

    @cached_property
    def regions(self) -> list[Region]:
        """The limits as forbidden regions, each with the id of its guidance in its reason."""
        return [region for x in self.held for region in regions_of(x)]

    def violated(
        self,
        proposal: Proposal,
        changed: Mapping[str, str | None] | None = None,
        base: Mapping[str, str] | None = None,
    ) -> InForce | None:
        """The first limit that a proposal is against; of a code candidate by the files that it has `changed`."""
        for x in self.held:
            m = x.meaning
            if not m.hard:
                continue
            if m.target == "parameter":
                if violations(proposal.config, regions_of(x)):
                    return x
            elif is_against(m, proposal, changed or {}, base or {}):
                return x
        return None

    # ------------------------------------------------------------- preferences

    @cached_property
    def preferences(self) -> list[InForce]:
        return [x for x in self.held if x.meaning.kind == "preference"]

    def unfulfilled(self, history: Sequence[Experiment]) -> list[InForce]:
        """The preferences that no finished trial was made for yet."""
        return [
            x
            for x in self.preferences
            if not any(x.id in e.proposal.guidance and matches(e.proposal, x.meaning, self.space) for e in history)
        ]

    def asked_for(self, proposal: Proposal, history: Sequence[Experiment]) -> InForce | None:
        """The preference that a proposal was made to fulfil."""
        if proposal.proposer != SEAT:
            return None
        wanted = (x for x in self.unfulfilled(history) if x.id in proposal.guidance)
        return next((x for x in wanted if matches(proposal, x.meaning, self.space)), None)

    # ----------------------------------------------------------- focus and mode

    def focused(self, *targets: str) -> list[InForce]:
        """What is to be worked on first, of these targets."""
        return [x for x in self.held if x.meaning.kind == "focus" and x.meaning.target in targets]

    @cached_property
    def mode(self) -> InForce | None:
        return next((x for x in self.held if x.meaning.kind == "mode"), None)

    def steered(self, direction: Direction) -> Direction:
        """The director's answer as guidance turns it; what it was stays in its reason and in `before_guidance`."""
        told: list[str] = []
        changes: dict[str, Any] = {}
        ids: list[str] = []
        if self.mode is not None:
            ids.append(self.mode.id)
            meant = self.mode.meaning.mode
            if meant != direction.mode:
                told.append(f"{self.mode.id}: {meant} (the director said {direction.mode})")
                changes |= {"mode": meant, "before_guidance": direction.mode}
            else:
                told.append(f"{self.mode.id}: {meant}, as the director says")
        parameters = self.focused("parameter")
        if parameters:
            names = tuple(dict.fromkeys(x.meaning.name for x in parameters))
            changes["focus"] = (*names, *(name for name in direction.focus if name not in names))
        for x in self.focused("parameter", "metric", "file", "function"):
            ids.append(x.id)
            told.append(f"{x.id}: {x.meaning}")
        if not ids:
            return direction
        return direction.model_copy(
            update={
                **changes,
                "guidance": tuple(dict.fromkeys(ids)),
                "reason": f"{direction.reason}; asked: {', '.join(told)}",
            }
        )

    @property
    def speaks(self) -> bool:
        """Whether the seats of guidance have anything to say."""
        return bool(self.preferences or self.focused("parameter", "metric") or self._discouraged)

    @cached_property
    def _discouraged(self) -> list[InForce]:
        """What memory advises against."""
        return [x for x in self.held if x.meaning.kind == "exclusion" and not x.meaning.hard]

    @property
    def soft(self) -> list[InForce]:
        """What speaks for or against a proposal without deciding."""
        return [*self.preferences, *self._discouraged]

    # ---------------------------------------------------------------------- code

    @cached_property
    def weighs_code(self) -> bool:
        """Whether any transformation is likelier, or left out."""
        return any(x.meaning.target in ("file", "function", "operator") for x in self.held)

    def site_weight(self, transformation: str, path: str, function: str) -> float:
        """How much likelier a place in the code is drawn; 0: never."""
        weight = 1.0
        for x in self.held:
            m = x.meaning
            names = {"operator": transformation, "file": path, "function": function}
            if m.target not in names or names[m.target] != m.name:
                continue
            if m.kind == "exclusion":
                return 0.0
            weight *= PREFERRED if m.kind == "preference" else FOCUSED
        return weight


def matches(proposal: Proposal, meaning: Meaning, space: Space) -> bool:
    """Whether a proposal is as a preference wants it; of an end, in the nearer third of the range."""
    if meaning.target == "operator":
        return proposal.operator == meaning.name or any(part.startswith(f"{meaning.name}@") for part in proposal.parts)
    if meaning.name not in proposal.config or PATCH in proposal.config:
        return False
    value = proposal.config[meaning.name]
    if meaning.options:
        return any(same(value, option) for option in meaning.options)
    if meaning.toward:
        u = _place(meaning.name, value, space)
        return u <= 1 / 3 if meaning.toward == "low" else u >= 2 / 3
    return (meaning.low is None or value >= meaning.low) and (meaning.high is None or value <= meaning.high)


def _place(name: str, value: Any, space: Space) -> float:
    """Where a number lies in its range, in 0 … 1; of a choice among numbers, by rank."""
    parameter = space[name]
    if isinstance(parameter, Choice):
        ranked = sorted(parameter.options)
        return ranked.index(value) / max(len(ranked) - 1, 1)
    return float(parameter.to_unit(value))


def _order(guidance: Guidance) -> tuple[bool, int, str]:
    """What memory suggests first, then in the order in which it was given."""
    digits = guidance.id[1:]
    return guidance.door != "recall", int(digits) if digits.isdigit() else 0, guidance.id


def _gives_way(earlier: Meaning, later: Meaning) -> bool:
    """Whether the earlier cannot be followed beside the later.  A new focus takes the place of the old one."""
    if earlier.kind == later.kind == "focus":
        metric = (earlier.target == "metric", later.target == "metric")
        return metric[0] == metric[1] and (earlier.target, earlier.name) != (later.target, later.name)
    return conflict(earlier, later)
