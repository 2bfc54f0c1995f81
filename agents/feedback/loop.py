"""The loop: generator → discriminator → agitator, round by round, the best round kept.

Pure but for its own state: source text in, `IterationRecord` out. Files are independent; what guidance has paid
(`Experience`) is shared between them.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from agents.feedback.agitator import MAX_DIRECTIVES, Experience
from agents.feedback.assistants import (
    Briefing,
    CodeCommentAgitatorAssistant,
    CodeCommentDiscriminatorAssistant,
    CodeCommentGeneratorAssistant,
)
from agents.feedback.guidance import DIRECTIVE_TEXT, parse_guidance
from agents.feedback.records import AgitatorFeedback, CodeComments, Directive, DiscriminatorScore, IterationRecord

__all__ = ["CodeFeedbackLoop"]


@dataclass
class _FileState:
    code_sha256: str
    iteration: int = 0
    best: IterationRecord | None = None
    best_directives: tuple[Directive, ...] = ()
    pending: tuple[Directive, ...] = ()
    last: IterationRecord | None = None
    tried: Counter[str] = field(default_factory=Counter)
    stopped: bool = False
    human_seen: tuple[str, ...] = ()


class CodeFeedbackLoop:
    """Runs rounds over files.

    `guidance_history[path]` lists all guidance for a file in order; text appended to it by a caller counts as human
    guidance, is followed from the next round on, and opens a file that had stopped.
    """

    def __init__(
        self,
        generator: CodeCommentGeneratorAssistant | None = None,
        discriminator: CodeCommentDiscriminatorAssistant | None = None,
        agitator: CodeCommentAgitatorAssistant | None = None,
        *,
        experience: Experience | None = None,
    ) -> None:
        self.generator = generator or CodeCommentGeneratorAssistant()
        self.discriminator = discriminator or CodeCommentDiscriminatorAssistant()
        self.agitator = agitator or CodeCommentAgitatorAssistant()
        self.experience = experience or Experience()
        self.guidance_history: defaultdict[str, list[str]] = defaultdict(list)
        self._given: defaultdict[str, list[str]] = defaultdict(list)
        self._files: dict[str, _FileState] = {}

    def add_human_guidance(self, path: str, guidance: str) -> None:
        """Append human guidance for a file; blank text is ignored."""
        if guidance.strip():
            self.guidance_history[path].append(guidance.strip())

    def run_iteration(self, path: str, code: str, recalled: Sequence[str] = ()) -> IterationRecord:
        """One round over one file. Changed code starts the file anew, its human guidance kept.

        `recalled`: guidance that paid on files like this one. ConfigError when the file cannot be analysed.
        """
        comments = self.draft(path, code)
        return self.conclude(path, code, comments, self.judge(code, comments), recalled)

    def draft(self, path: str, code: str) -> CodeComments:
        """The generator's part of a round: comments by the directives in force."""
        return self.generator.generate(path, code, self._directives(path, code))

    def judge(self, code: str, comments: CodeComments) -> DiscriminatorScore:
        """The discriminator's part: the draft's score, with its issues."""
        return self.discriminator.score(code, comments)

    def conclude(
        self, path: str, code: str, comments: CodeComments, score: DiscriminatorScore, recalled: Sequence[str] = ()
    ) -> IterationRecord:
        """The agitator's part: guidance for the next round; the draft is kept if it is the best so far."""
        state = self._state(path, code)
        human = tuple(self.human_guidance(path))
        news = human != state.human_seen
        directives = self._directives(path, code)
        before = state.best.discriminator_score.reward if state.best else -1.0
        kept = state.best is None or news or score.reward > before + 1e-9
        state.tried.update(each.name for each in state.pending)
        if kept:
            state.best_directives = tuple(directives)
        best_score = score if kept or state.best is None else state.best.discriminator_score
        advice = self.agitator.advise(
            best_score, active=state.best_directives, human=human, recalled=recalled,
            tried=dict(state.tried), experience=self.experience, limit=MAX_DIRECTIVES if kept else 1,
        )  # fmt: skip
        record = self._record(path, state, comments, score, human, directives).model_copy(
            update={
                "agitator_feedback": advice,
                "kept": kept,
                "best_reward": max(before, score.reward) if not news else score.reward,
            }
        )
        if state.last is not None:
            self.experience.learn(state.last, record)
        self._remember(path, advice.guidance, human)
        state.iteration += 1
        state.human_seen = human
        state.pending = tuple(each for each in advice.directives if each.origin != "human")
        state.last = record
        state.stopped = advice.stop
        if kept:
            state.best = record
        return record

    def _directives(self, path: str, code: str) -> list[Directive]:
        """What the next draft of the file follows: what its best did, what is to be tried, and what people asked."""
        state = self._state(path, code)
        asked = [directive for text in self.human_guidance(path) for directive in parse_guidance(text)[0]]
        return _merge(state.best_directives, state.pending, asked)

    def run(self, path: str, code: str, iterations: int = 2, recalled: Sequence[str] = ()) -> list[IterationRecord]:
        """Up to `iterations` rounds, fewer when nothing more is expected to be gained."""
        records: list[IterationRecord] = []
        for _ in range(iterations):
            records.append(self.run_iteration(path, code, recalled))
            if records[-1].agitator_feedback.stop:
                break
        return records

    def train(self, dataset: Iterable[tuple[str, str]], epochs: int = 1) -> list[IterationRecord]:
        """`epochs` passes over (path, code) pairs; a file that has nothing more to gain is left out of later passes."""
        pairs = list(dataset)
        records: list[IterationRecord] = []
        for _ in range(epochs):
            for path, code in pairs:
                state = self._files.get(path)
                settled = state is not None and state.stopped and state.code_sha256 == _sha256(code)
                if settled and state is not None and tuple(self.human_guidance(path)) == state.human_seen:
                    continue
                records.append(self.run_iteration(path, code))
        return records

    def best(self, path: str) -> IterationRecord | None:
        """The kept round of a file, None before its first."""
        state = self._files.get(path)
        return state.best if state else None

    def human_guidance(self, path: str) -> list[str]:
        """What callers appended to the file's history, in order."""
        given = Counter(self._given[path])
        human = []
        for text in self.guidance_history[path]:
            if given[text] > 0:
                given[text] -= 1
            else:
                human.append(text)
        return human

    def briefing(self, path: str) -> Briefing:
        """What a generator that can read is told before the next draft of a file."""
        state = self._files.get(path)
        advice = state.last.agitator_feedback.prompt if state is not None and state.last is not None else ""
        return Briefing(human=tuple(self.human_guidance(path)), advice=advice)

    def _state(self, path: str, code: str) -> _FileState:
        sha256 = _sha256(code)
        state = self._files.get(path)
        if state is None or state.code_sha256 != sha256:
            state = self._files[path] = _FileState(code_sha256=sha256)
        return state

    def _record(
        self, path: str, state: _FileState, comments: CodeComments, score: DiscriminatorScore, human: tuple[str, ...],
        directives: Sequence[Directive],
    ) -> IterationRecord:  # fmt: skip
        followed = [DIRECTIVE_TEXT[each.name] for each in directives if each.wanted and each.origin != "human"]
        return IterationRecord(
            path=path, iteration=state.iteration, code_sha256=state.code_sha256, comments=comments,
            discriminator_score=score, agitator_feedback=AgitatorFeedback(), guidance=(*human, *followed),
        )  # fmt: skip

    def _remember(self, path: str, guidance: Iterable[str], human: tuple[str, ...]) -> None:
        for text in guidance:
            if text not in human:
                self.guidance_history[path].append(text)
                self._given[path].append(text)


def _merge(*groups: Iterable[Directive]) -> list[Directive]:
    """Directives of all groups, a later one replacing an earlier one of the same name; human ones end first."""
    merged: dict[str, Directive] = {}
    for group in groups:
        for each in group:
            merged.pop(each.name, None)
            merged[each.name] = each
    return sorted(merged.values(), key=lambda each: each.origin != "human")


def _sha256(code: str) -> str:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()
