"""The agitator without a model: what to ask of the next round, from what the last one lacked and what has paid before.

Notation: d directive, w_d reward that its open issues cost (a sum over the file, 0..1), s_d learned success (share of
the rounds that followed d and gained, with a prior of 2 in 3), n_d how often d was tried on this file.

    gain(d) = w_d · s_d · 0.6^n_d

Decay keeps one issue that never yields from starving the rest. Human guidance goes first and is never dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agents.feedback.guidance import DIRECTIVE_TEXT, parse_guidance
from agents.feedback.records import AgitatorFeedback, Directive, DirectiveName, DiscriminatorScore, IterationRecord

__all__ = ["DECAY", "Experience", "agitate"]

DECAY = 0.6
MIN_GAIN = 0.002
MAX_DIRECTIVES = 3
_PRIOR_TRIED, _PRIOR_PAID = 3.0, 2.0


class Experience:
    """What directives have brought, learned from finished rounds; the same for all files of a loop."""

    def __init__(self, records: Iterable[IterationRecord] = ()) -> None:
        self._tried: dict[str, float] = {}
        self._paid: dict[str, float] = {}
        previous: dict[str, IterationRecord] = {}
        for record in records:
            if record.path in previous:
                self.learn(previous[record.path], record)
            previous[record.path] = record

    def learn(self, before: IterationRecord, after: IterationRecord) -> None:
        """Credit the directives asked for after `before` with whether `after` gained."""
        gained = after.discriminator_score.reward > before.discriminator_score.reward + 1e-9
        for directive in before.agitator_feedback.directives:
            self._tried[directive.name] = self._tried.get(directive.name, 0.0) + 1.0
            self._paid[directive.name] = self._paid.get(directive.name, 0.0) + float(gained)

    def success(self, name: str) -> float:
        """Share of the rounds that followed `name` and gained, 2/3 before any."""
        return (self._paid.get(name, 0.0) + _PRIOR_PAID) / (self._tried.get(name, 0.0) + _PRIOR_TRIED)


def agitate(
    score: DiscriminatorScore,
    *,
    active: Sequence[Directive] = (),
    human: Sequence[str] = (),
    recalled: Sequence[str] = (),
    tried: dict[str, int] | None = None,
    experience: Experience | None = None,
    limit: int = MAX_DIRECTIVES,
    prefer: Sequence[str] = (),
) -> AgitatorFeedback:
    """Guidance for the next round.

    `active`: directives that the scored draft already followed; `human` and `recalled`: guidance texts, the latter from
    rounds that paid before; `tried`: how often each directive was asked for on this file; `limit`: at most so many new
    directives (one after a round that was not kept, so that the guilty one is found); `prefer`: which of those that are
    expected to gain go first. `stop` is set when nothing is expected to gain at least `MIN_GAIN`.
    """
    tried = tried or {}
    experience = experience or Experience()
    followed = {(each.name, each.wanted) for each in active}
    wanted, unmet = _human(human)
    new_human = [each for each in wanted.values() if (each.name, each.wanted) not in followed]
    gains = _gains(score, tried, experience)
    for text in recalled:
        for each in parse_guidance(text, "history")[0]:
            if each.wanted and each.name in gains:
                gains[each.name] *= 1.25  # it paid on a file like this one
    ranked = sorted(gains.items(), key=lambda item: (item[0] not in prefer, -item[1]))
    chosen = [
        Directive(name=name)
        for name, gain in ranked
        if gain >= MIN_GAIN and name not in wanted and (name, True) not in followed
    ][:limit]
    directives = [*new_human, *chosen]
    texts = [*human, *(DIRECTIVE_TEXT[each.name] for each in chosen)]
    expected = sum(gains.get(each.name, 0.0) for each in directives)
    stop = not directives
    return AgitatorFeedback(
        guidance=tuple(texts),
        directives=tuple(directives),
        expected_gain=expected,
        prompt=_prompt(score, texts),
        plan=tuple(f"{each.name}: expected +{gains.get(each.name, 0.0):.3f}" for each in directives),
        unmet=tuple(unmet),
        stop=stop,
        stop_reason=f"no directive is expected to gain {MIN_GAIN} or more" if stop else "",
    )


def _human(texts: Sequence[str]) -> tuple[dict[DirectiveName, Directive], list[str]]:
    wanted: dict[DirectiveName, Directive] = {}
    unmet: list[str] = []
    for text in texts:
        directives, rest = parse_guidance(text, "human")
        wanted |= {each.name: each for each in directives}
        unmet.extend(rest if not directives else [])
    return wanted, unmet


def _gains(score: DiscriminatorScore, tried: dict[str, int], experience: Experience) -> dict[DirectiveName, float]:
    weights: dict[DirectiveName, float] = {}
    for issue in score.issues:
        if issue.directive is not None:
            weights[issue.directive] = min(1.0, weights.get(issue.directive, 0.0) + issue.weight)
    return {name: weight * experience.success(name) * DECAY ** tried.get(name, 0) for name, weight in weights.items()}


def _prompt(score: DiscriminatorScore, texts: Sequence[str]) -> str:
    """The request in words, for a generator with a model, and for the trace."""
    worst = "\n".join(
        f"- line {issue.line}: {issue.message} ({issue.evidence}); {issue.fix}" for issue in score.issues[:5]
    )
    asks = "\n".join(f"- {text}" for text in texts) or "- keep the comments as they are"
    return f"The comments scored {score.reward:.3f}. What was found:\n{worst or '- nothing'}\nNext round:\n{asks}"
