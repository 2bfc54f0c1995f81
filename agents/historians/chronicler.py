"""Lessons from counting: regions in which jobs fail, taken back when one succeeds there, and what winners share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from agents.registry import historian
from agents.roles import Case, Historian, Kit
from agents.wording import describe_value
from core.ids import content_id
from core.records import Experiment, Lesson
from search.constraints import Region
from search.region_learning import contradictions, learn_regions, region_share
from search.space import Space
from search.trials import Trial

__all__ = ["chronicler"]


@historian("chronicler")
def chronicler(pattern_share: float = 0.75, pattern_lift: float = 1.5, min_winners: int = 4) -> Historian:
    """Learns constraints from failures and patterns among the best quarter of the trials.

    A pattern is told when at least `pattern_share` of the winners have a value, and that is at least `pattern_lift`
    times its share among all.
    """

    async def learn(outcomes: Sequence[Experiment], case: Case, kit: Kit) -> Sequence[Lesson]:
        whole = (*case.history, *outcomes)
        return [*_regions(whole, case), *_patterns(whole, case)]

    def _regions(whole: Sequence[Experiment], case: Case) -> list[Lesson]:
        """The learned regions brought up to date: contradicted and outgrown ones taken back, new ones told."""
        trials = [
            Trial(e.proposal.id, e.config, e.score if e.outcome.ok else None)
            for e in whole
            if e.outcome.status in ("ok", "failed") and e.outcome.tells_of_config
        ]
        found = learn_regions(trials, case.space)
        lessons: list[Lesson] = []
        standing: list[Region] = []
        for lesson in case.lessons:
            if lesson.region is None:
                continue
            old = Region.model_validate(lesson.region)
            against = contradictions(old, trials)
            better = next((new for new in found if _outgrown(old, new, case.space)), None)
            if against:
                why = f"{against[0].id} succeeded there"
                lessons.append(_withdrawal(lesson, why, [t.id for t in against], case))
            elif better is not None:
                lessons.append(_withdrawal(lesson, f"the evidence now says {better}", list(better.evidence), case))
            else:
                standing.append(old)
        return lessons + [
            Lesson(
                id=content_id("l", case.line, "constraint", region.model_dump(mode="json")),
                kind="constraint",
                text=f"{region}: {region.reason}",
                cycle=case.cycle,
                evidence=tuple(region.evidence),
                region=region.model_dump(mode="json"),
            )
            for region in found
            if not any(_same(old, region, case.space) or old.covers(region) for old in standing)
        ]

    def _patterns(whole: Sequence[Experiment], case: Case) -> list[Lesson]:
        scored = sorted((e for e in whole if e.score is not None), key=lambda e: -(e.score or 0.0))
        winners = scored[: max(min_winners, len(scored) // 4)]
        if len(scored) < 2 * min_winners:
            return []
        known = {lesson.id for lesson in case.lessons}
        told: list[Lesson] = []
        for name, value, share in _shared(winners):
            among_all = sum(e.config.get(name) == value for e in scored) / len(scored)
            lesson_id = content_id("l", case.line, "pattern", name, value)
            if share >= pattern_share and share >= pattern_lift * among_all and lesson_id not in known:
                told.append(
                    Lesson(
                        id=lesson_id,
                        kind="pattern",
                        text=f"{name}={describe_value(value)} in {share:.0%} of the best {len(winners)} trials, "
                        f"{among_all:.0%} of all",
                        cycle=case.cycle,
                        evidence=tuple(e.proposal.id for e in winners if e.config.get(name) == value),
                    )
                )
        return told

    return learn


def _withdrawal(lesson: Lesson, why: str, evidence: Sequence[str], case: Case) -> Lesson:
    return Lesson(
        id=content_id("l", case.line, "withdrawn", lesson.id, case.cycle),
        kind=lesson.kind,
        text=f"taken back: {lesson.text}; {why}",
        cycle=case.cycle,
        evidence=tuple(evidence),
        withdraws=lesson.id,
    )


def _outgrown(old: Region, new: Region, space: Space) -> bool:
    """Whether `new` explains all that `old` does, and says clearly less or more."""
    return set(old.evidence) <= set(new.evidence) and not _same(old, new, space)


def _same(old: Region, new: Region, space: Space) -> bool:
    """The same parameters and, within a fifth, the same share of the space."""
    if set(old.conditions) != set(new.conditions):
        return False
    ratio = region_share(new, space) / max(region_share(old, space), 1e-12)
    return 0.8 <= ratio <= 1.25


def _shared(winners: Sequence[Experiment]) -> list[tuple[str, object, float]]:
    """(parameter, value, share) of the options that winners have; numbers rarely repeat and are left out."""
    counted = Counter(
        (name, value) for e in winners for name, value in e.config.items() if isinstance(value, str | bool | int)
    )
    return [(name, value, count / len(winners)) for (name, value), count in counted.items()]
