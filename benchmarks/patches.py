"""How often a patch applies rightly, wrongly or not at all, when its quote or the file is not as its author thought.

    python -m benchmarks.patches [--edits 300] [--seed 0]        some minutes

Edits are made of this repository's own functions, so what is right is known: the file with the edit and with whatever
happened to the file.  A result is right when its syntax tree is that one's; where nothing is right (the place is gone,
or both touched the same words), only a refusal is.  Then the same for merges of two edits, and the questions that
bisection asks.
"""

from __future__ import annotations

import argparse
import ast
import random
import time
from collections import Counter
from pathlib import Path

from agents.code.apply import Applied, apply_changes
from agents.code.bisection import Bisection
from agents.code.edits import parse_changes
from agents.code.merge import merge
from agents.code.parts import closed, compose, split
from benchmarks.patch_trials import CONDITIONS, PATH, Lines, Sample, Trial, draw, numbered, same, text_of

ROOT = Path(__file__).parents[1]
PACKAGES = ("core", "search", "memory", "agents", "graph", "runtime", "service")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--edits", type=int, default=300, help="a condition")
    arguments.add_argument("--seed", type=int, default=0)
    given = arguments.parse_args()
    rng = random.Random(given.seed)
    files = [numbered(path.read_text()) for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    files = [lines for lines in files if 40 <= len(lines) <= 500]
    samples = [sample for sample in (draw(files, rng) for _ in range(given.edits * 3)) if sample][: given.edits]
    show_patches(samples, rng)
    show_merges(files, samples, rng)
    show_bisection(files, rng)


def show_patches(samples: list[Sample], rng: random.Random) -> None:
    print(f"{'condition':32}{'n':>6}{'right':>8}{'wrong':>8}{'refused':>9}   right by stage, then wrong by stage")
    everything: Counter[str] = Counter()
    begun, asked = time.perf_counter(), 0
    for condition, make in CONDITIONS.items():
        counts: Counter[str] = Counter()
        stages: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
        for sample in samples:
            trial = make(sample, rng)
            if trial is None:
                continue
            applied = apply_changes({PATH: trial.file}, parse_changes(trial.answer))
            asked += 1
            verdict = judged(applied, trial)
            counts[verdict] += 1
            if verdict != "refused" and not applied.rejected:
                stages[verdict == "right"][worst(applied)] += 1
        everything += counts
        shown = [", ".join(f"{how} {n}" for how, n in stages[good].most_common()) or "-" for good in (True, False)]
        print_row(condition, counts, " | ".join(shown))
    took = (time.perf_counter() - begun) / asked
    print_row("all", everything, f"{1000 * took:.1f} ms each")


def print_row(name: str, counts: Counter[str], more: str) -> None:
    n = counts.total() or 1
    shares = "".join(f"{counts[each] / n:>{width}.1%}" for each, width in (("right", 8), ("wrong", 8), ("refused", 9)))
    print(f"{name:32}{counts.total():>6}{shares}   {more}", flush=True)


def judged(applied: Applied, trial: Trial) -> str:
    """A refusal where nothing is right counts as right."""
    if applied.rejected:
        return "right" if trial.right is None else "refused"
    if trial.right is None:
        return "wrong"
    return "right" if same(applied.files.get(PATH, trial.file), trial.right) else "wrong"


def worst(applied: Applied) -> str:
    order = ("exact", "whole", "whitespace", "fuzzy", "anchored")
    return max((each.how for each in applied.placed), key=order.index, default="nothing")


def show_merges(files: list[Lines], samples: list[Sample], rng: random.Random) -> None:
    print()
    counts: dict[str, Counter[str]] = {"two functions": Counter(), "one function": Counter()}
    for sample in samples:
        for _ in range(4):
            other = draw(files, rng, lines=sample.base)
            if other and not any(abs(p - q) <= 1 for p in sample.touched for q in other.touched):
                break
        else:
            continue
        base, a, b = ({PATH: text_of(lines)} for lines in (sample.base, sample.edited, other.edited))
        right = both(sample, other)
        merged = merge(base, a, b)
        verdict = "refused" if merged.conflicts else "right" if same(merged.files[PATH], right) else "wrong"
        counts["one function" if other.start == sample.start else "two functions"][verdict] += 1
    for name, each in counts.items():
        print_row(f"merge: {name}", each, "of edits that do not touch")


def both(first: Sample, second: Sample) -> str:
    """The base with the edits of both, which touch different lines: each line with the new ones above it, or gone."""
    above: dict[int, Lines] = {}
    gone: set[int] = set()
    for sample in (first, second):
        gone |= {number for number, _ in sample.base} - {number for number, _ in sample.edited}
        kept = dict(sample.edited)
        touched = iter(sample.edited)
        waiting: Lines = []
        for number, _ in [*sample.base, (len(sample.base), "")]:
            if number in gone and number not in kept and number in sample.touched:
                above[number] = [*above.get(number, []), next(touched)]  # a line that is replaced has one in its place
                continue
            for line in touched:
                if line[0] == number:
                    break
                waiting.append(line)
            if waiting:
                above[number], waiting = [*above.get(number, []), *waiting], []
    end = (len(first.base), "")
    return text_of([
        line for each in [*first.base, end]
        for line in [*above.get(each[0], []), *([each] if each[0] not in gone and each != end else [])]
    ])  # fmt: skip


def show_bisection(files: list[Lines], rng: random.Random) -> None:
    print(f"\n{'bisection':32}{'n':>6}{'parts':>8}{'questions':>11}{'found':>8}")
    for guilty_count in (1, 2, 3):
        questions: list[int] = []
        sizes: list[int] = []
        found = 0
        while len(questions) < 100:
            lines = rng.choice(files)
            edited = lines
            for _ in range(rng.randrange(3, 9)):
                sample = draw([], rng, lines=[(at, text) for at, (_, text) in enumerate(edited)])
                edited = sample.edited if sample else edited
            base, after = {PATH: text_of(lines)}, {PATH: text_of(edited)}
            parts = split(base, after)
            if len(parts) < guilty_count + 2:
                continue
            guilty = frozenset(rng.sample(range(len(parts)), guilty_count))
            search = Bisection(len(parts), {at: part.needs for at, part in enumerate(parts)})
            while (question := search.question) is not None:
                ast.parse(compose(base, [parts[at] for at in question])[PATH])
                search = search.tell(not question & guilty)
            questions.append(len(search.answers))
            sizes.append(len(parts))
            found += all(closed(parts, {at}) & guilty for at in search.guilty) and guilty <= search.guilty
        mean = sum(questions) / len(questions)
        print(f"{f'{guilty_count} guilty':32}{len(questions):>6}{sum(sizes) / len(sizes):>8.1f}{mean:>11.1f}{found:>8}")


if __name__ == "__main__":
    main()
