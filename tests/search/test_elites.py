"""The archive: no cell ever loses its best, whatever comes in whatever order, and however the bins are learned."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ConfigError
from search.elites import Archive, Candidate, Elite
from search.grid import Axis, Grid
from search.parenthood import GREED, NEIGHBOURS

FIXED = (Axis("a", edges=(0.0, 1.0, 2.0)), Axis("b", edges=(10.0,)))
LEARNED = (Axis("a", bins=3), Axis("b", edges=(10.0,)))
AXES = st.sampled_from([FIXED, LEARNED, (Axis("a", bins=4), Axis("b", bins=2))])


def candidate(number: int, score: float | None, a: float = 0.0, b: float = 0.0, **rest: object) -> Candidate:
    return Candidate(id=f"c-{number}", score=score, values={"a": a, "b": b}, **rest)  # type: ignore[arg-type]


@st.composite
def tellings(draw: st.DrawFn) -> list[Candidate]:
    score = st.none() | st.integers(-3, 3).map(float) | st.floats(-1e3, 1e3)
    value = st.integers(-2, 4).map(float) | st.floats(-1e9, 1e9)
    rows = draw(st.lists(st.tuples(score, value, st.floats(0, 20)), max_size=40))
    return [candidate(i, *row) for i, row in enumerate(rows)]


def told(axes: tuple[Axis, ...], candidates: list[Candidate]) -> Archive:
    archive = Archive(*axes)
    for one in candidates:
        archive.add(one)
    return archive


def ids(archive: Archive) -> set[str]:
    return {e.id for e in archive.elites()}


def best_of_each_cell(grid: Grid, candidates: list[Candidate]) -> set[str]:
    """By the definition: over everything told, the highest score of each cell, the first of equals."""
    cells: dict[tuple[int, ...], Candidate] = {}
    for one in candidates:
        cell = grid.cell(grid.row(one.values))
        if one.score is not None and (cell not in cells or one.score > cells[cell].score):  # type: ignore[operator]
            cells[cell] = one
    return {one.id for one in cells.values()}


@given(AXES, tellings())
def test_at_any_time_the_elites_are_the_best_of_each_cell_of_everything_told(
    axes: tuple[Axis, ...], candidates: list[Candidate]
) -> None:
    archive = Archive(*axes)
    for count, one in enumerate(candidates, 1):
        archive.add(one)
        assert ids(archive) == best_of_each_cell(archive.grid, candidates[:count])
        assert len(archive) == len(ids(archive))
    archive.learn()
    assert ids(archive) == best_of_each_cell(archive.grid, candidates)


@given(AXES, tellings())
def test_the_best_is_never_lost(axes: tuple[Axis, ...], candidates: list[Candidate]) -> None:
    archive = Archive(*axes)
    top: Candidate | None = None
    for one in candidates:
        archive.add(one)
        if one.score is not None and (top is None or one.score > top.score):  # type: ignore[operator]
            top = one
        assert (archive.best and archive.best.candidate) == top
        assert archive.best is None or archive.best in archive.elites()


@given(tellings())
def test_the_status_says_what_became_of_the_candidate(candidates: list[Candidate]) -> None:
    archive = Archive(*FIXED)
    for one in candidates:
        before = {e.cell: e for e in archive.elites()}
        status = archive.add(one)
        after = {e.cell: e for e in archive.elites()}
        changed = {cell for cell in after if before.get(cell) != after[cell] and after[cell].candidate is one}
        if status == "rejected":
            assert not changed
            continue
        [cell] = changed
        assert (status == "new") == (cell not in before)
        if status == "improved":
            assert after[cell].score > before[cell].score  # only a better one takes a place


@given(AXES, tellings(), st.randoms(use_true_random=False))
def test_the_order_does_not_matter_but_between_equals(axes, candidates, random) -> None:
    seen: set[float | None] = set()
    unequal = [c for c in candidates if c.score is None or not (c.score in seen or seen.add(c.score))]
    first = told(axes, unequal)
    random.shuffle(unequal)
    second = told(axes, unequal)
    first.learn()
    second.learn()
    assert first.grid.axes == second.grid.axes
    assert ids(first) == ids(second)


@given(AXES, tellings(), st.integers(0, 2**31))
def test_what_is_told_twice_counts_once(axes: tuple[Axis, ...], candidates: list[Candidate], seed: int) -> None:
    family = [Candidate(c.id, c.score, c.values, parents=("c-0",) if i else ()) for i, c in enumerate(candidates)]
    once, twice = told(axes, family), told(axes, [c for c in family for _ in range(2)])
    assert once.elites() == twice.elites()
    rngs = np.random.default_rng(seed), np.random.default_rng(seed)
    assert once.parents(rngs[0], 5) == twice.parents(rngs[1], 5)
    assert once.inspirations(rngs[0], 5) == twice.inspirations(rngs[1], 5)


@given(AXES, tellings())
def test_novelty_is_the_mean_distance_to_the_nearest(axes: tuple[Axis, ...], candidates: list[Candidate]) -> None:
    archive = told(axes, candidates)
    elites = archive.elites()
    places = {e.id: np.array(archive.grid.point(e.cell)) for e in elites}
    for elite in elites:
        away = sorted(float(np.linalg.norm(places[elite.id] - places[e.id])) for e in elites if e.id != elite.id)
        near = [d / math.sqrt(2) for d in away[:NEIGHBOURS]]
        assert elite.novelty == pytest.approx(sum(near) / len(near) if near else 0.0)


@given(tellings())
def test_learned_bins_lie_between_different_values_and_part_them(candidates: list[Candidate]) -> None:
    values = [c.values["a"] for c in candidates]
    axis = Axis("a", bins=4)
    if not values:
        return
    edges = axis.learned(values).edges
    assert list(edges) == sorted(set(edges))
    assert len(edges) <= 3
    assert all(min(values) <= edge <= max(values) for edge in edges)
    if len(set(values)) <= 4 and all(abs(a - b) > 1e-3 for a in values for b in values if a != b):
        grid = Grid([axis.learned(values)])
        assert len({grid.cell([v]) for v in values}) == len(set(values))  # few values: a bin for each


def test_a_skewed_count_still_fills_its_bins() -> None:
    """Nine in ten have three imports: quantiles of all values would all be 3."""
    archive = told((Axis("a", bins=4),), [candidate(i, i, a=3.0 if i % 10 else float(i)) for i in range(256)])
    assert len(archive.grid.axes[0].edges) == 3
    assert len(archive) == 4


# ------------------------------------------------------------------------------------------------------- parents


def shares(archive: Archive, draws: int = 4000, **options: object) -> dict[str, float]:
    """How often each is chosen when one is asked for at a time."""
    rng = np.random.default_rng(0)
    counts = Counter(archive.parents(rng, 1, **options)[0].id for _ in range(draws))  # type: ignore[arg-type]
    return {name: count / draws for name, count in counts.items()}


def test_parents_are_drawn_by_the_formula() -> None:
    line = (Axis("a", edges=(1.0, 2.0, 3.0)),)
    family = [
        Candidate("low", 1.0, {"a": 0}),
        Candidate("middle", 2.0, {"a": 1}),
        Candidate("high", 3.0, {"a": 3}),
        Candidate("failed-1", None, {}, parents=("high",)),
        Candidate("failed-2", None, {}, parents=("high", "middle")),
    ]
    archive = told(line, family)
    # places 0, 1/3, 1: mean distances 2/3, 1/2, 5/6, so the ranks of novelty are 1/2, 0, 1
    weights = {
        "low": 1 / (1 + math.exp(GREED / 2)) * 1.0,
        "middle": 0.5 * 0.5 / 2,
        "high": 1 / (1 + math.exp(-GREED / 2)) * 1.5 / 3,
    }
    for name, share in shares(archive).items():
        assert share == pytest.approx(weights[name] / sum(weights.values()), abs=0.025)
    weights["high"] *= 3 / 6
    for name, share in shares(archive, in_flight=["high"] * 3 + ["nobody"]).items():
        assert share == pytest.approx(weights[name] / sum(weights.values()), abs=0.025)


def test_a_batch_is_spread_over_the_elites() -> None:
    archive = told(FIXED, [candidate(0, 1.0, a=-1), candidate(1, 1.0, a=0.5), candidate(2, 1.0, a=5)])
    batch = Counter(e.id for e in archive.parents(np.random.default_rng(1), 300))
    # weights 1.25, 0.5, 1.25: one at a time the middle one had 50 of 300; w / (1 + n) evens out to shares of √w
    assert batch["c-1"] == pytest.approx(300 * math.sqrt(0.5) / (math.sqrt(0.5) + 2 * math.sqrt(1.25)), abs=10)
    assert archive.elites()[0].children == 0  # asking is not having


def test_told_novelty_counts() -> None:
    plain = [candidate(0, 1.0, a=-1), candidate(1, 1.0, a=5)]
    assert shares(told(FIXED, plain))["c-1"] == pytest.approx(0.5, abs=0.03)
    novel = [plain[0], candidate(1, 1.0, a=5, novelty=0.4)]
    assert shares(told(FIXED, novel))["c-1"] == pytest.approx(0.75, abs=0.03)  # three times as often as the other


@given(AXES, tellings(), st.integers(0, 9), st.integers(0, 2**31))
def test_parents_are_elites_and_the_same_for_the_same_seed(axes, candidates, n, seed) -> None:
    archive = told(axes, candidates)
    chosen = archive.parents(np.random.default_rng(seed), n)
    assert len(chosen) == (n if len(archive) else 0)
    assert {e.id for e in chosen} <= ids(archive)
    assert chosen == archive.parents(np.random.default_rng(seed), n)


# ---------------------------------------------------------------------------------------------------- inspirations


@given(AXES, tellings(), st.integers(0, 2**31))
def test_a_pair_is_two_elites_of_two_cells(axes, candidates, seed) -> None:
    archive = told(axes, candidates)
    pairs = archive.inspirations(np.random.default_rng(seed), 4)
    assert len(pairs) == (4 if len(archive) > 1 else 0)
    for first, second in pairs:
        assert {first.id, second.id} <= ids(archive)
        assert first.cell != second.cell


def partners(archive: Archive, of: str) -> Counter[str]:
    pairs = archive.inspirations(np.random.default_rng(0), 400, of=of)
    assert {a.id for a, _ in pairs} == {of}
    return Counter(b.id for _, b in pairs)


def test_a_pair_comes_from_two_operators_where_there_are_two() -> None:
    same = [candidate(i, 1.0, a=i - 0.5, operator="hoist") for i in range(3)]
    assert set(partners(told(FIXED, same), "c-0")) == {"c-1", "c-2"}
    other = [*same[:2], candidate(2, 0.1, a=1.5, operator="rewrite")]
    assert set(partners(told(FIXED, other), "c-0")) == {"c-2"}


def test_changes_of_different_places_go_together() -> None:
    def three(second: set[str], third: set[str]) -> list[Candidate]:
        line = (("c-0", 0.5, {"f", "g"}), ("c-1", -0.5, second), ("c-2", 1.5, third))
        return [Candidate(i, 1.0, {"a": a, "b": 0.0}, touched=frozenset(t)) for i, a, t in line]

    apart = partners(told(FIXED, three({"h"}, {"f", "g"})), "c-0")
    assert apart["c-1"] > 1.4 * apart["c-2"]
    mirrored = partners(told(FIXED, three({"f", "g"}, {"h"})), "c-0")
    assert mirrored["c-2"] > 1.4 * mirrored["c-1"]


def test_who_is_no_elite_inspires_nobody() -> None:
    archive = told(FIXED, [candidate(0, 1.0), candidate(1, 2.0), candidate(2, 0.0, a=5)])
    with pytest.raises(KeyError, match="c-0"):
        archive.inspirations(np.random.default_rng(0), 1, of="c-0")


# -------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    "wrong",
    [
        candidate(0, math.nan),
        candidate(0, math.inf),
        candidate(0, 1.0, a=math.nan),
        candidate(0, 1.0, novelty=-0.1),
        candidate(0, 1.0, novelty=math.nan),
        Candidate("c-0", 1.0, {"a": 1.0}),
    ],
)
def test_what_is_not_a_number_is_refused_and_leaves_no_trace(wrong: Candidate) -> None:
    archive = told(LEARNED, [candidate(1, 1.0)])
    with pytest.raises(ValueError, match=r"score|finite"):
        archive.add(wrong)
    assert wrong.id not in archive
    assert archive.add(candidate(0, 2.0)) == "improved"


@pytest.mark.parametrize("axes", [(), (Axis("a", bins=2), Axis("a", bins=3))])
def test_axes_are_named_once(axes: tuple[Axis, ...]) -> None:
    with pytest.raises(ConfigError, match="the axes are"):
        Archive(*axes)


@pytest.mark.parametrize("cut", [{}, {"bins": 1}, {"bins": 65}, {"edges": (2.0, 1.0)}, {"edges": (1.0, math.nan)}])
def test_an_axis_says_how_it_is_cut(cut: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="axis 'a' has"):
        Axis("a", **cut)  # type: ignore[arg-type]


@settings(max_examples=20)
@given(st.integers(1, 200))
def test_the_archive_is_no_larger_than_its_grid(n: int) -> None:
    rng = np.random.default_rng(n)
    archive = told(LEARNED, [candidate(i, rng.random(), rng.random(), 20 * rng.random()) for i in range(n)])
    assert len(archive) <= 3 * 2
    elite: Elite = archive.elites()[0]
    assert elite.candidate.id in archive
