from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from memory.recall import EmbeddingRow
from memory.recall.scan import Scan, cosines

Matrix = NDArray[np.float32]


def unit(matrix: Matrix) -> Matrix:
    """Rows of unit length; zeros stay zeros."""
    lengths = np.linalg.norm(matrix, axis=-1, keepdims=True)
    scaled: Matrix = np.zeros_like(matrix)
    np.divide(matrix, lengths, out=scaled, where=lengths > 0)
    return scaled


# few different values, so that many vectors are equal or mirrored
numbers = st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0, 0.125])
matrices = st.integers(1, 30).flatmap(lambda n: arrays(np.float32, (n, 4), elements=numbers)).map(unit)
questions = arrays(np.float32, 4, elements=numbers).map(unit)


@given(matrices, questions, st.integers(1, 8), st.sampled_from([None, "c0", "c1"]), st.integers(0, 30))
def test_the_scan_finds_what_sorting_all_finds(
    matrix: Matrix, question: Matrix, k: int, campaign_id: str | None, cut: int
) -> None:
    rows = [  # ids not in the order of positions
        EmbeddingRow(f"{i * 7 % 31:02}", "lessons", f"c{i % 2}", "", vector, "m", position=i + 1)
        for i, vector in enumerate(matrix)
    ]
    scan = Scan(4)
    scan.add(rows[:cut])
    scan.add(rows[cut:])
    exclude = {rows[0].id}
    wanted = sorted(
        (-similarity, row.id)
        for similarity, row in zip(cosines(matrix, question).tolist(), rows, strict=True)
        if row.id not in exclude and campaign_id in (None, row.campaign_id)
    )[:k]
    found = scan.search(question, k, campaign_id=campaign_id, exclude=exclude)
    assert [(-similarity, row.id) for similarity, row in found] == wanted


@given(matrices, questions)
def test_a_cosine_does_not_depend_on_the_other_rows(matrix: Matrix, question: Matrix) -> None:
    together = cosines(matrix, question)
    assert [float(cosines(matrix[i : i + 1], question)[0]) for i in range(len(matrix))] == together.tolist()
    assert (np.abs(together) <= 1).all()


def test_equals_are_ordered_by_id_and_a_replaced_row_counts_once() -> None:
    vector = np.array([0, 1, 0, 0], dtype=np.float32)
    scan = Scan(4)
    scan.add(EmbeddingRow(id_, "lessons", "c", "old", -vector, "m", position=p) for p, id_ in enumerate("dbca", 1))
    scan.add(EmbeddingRow(id_, "lessons", "c", "new", vector, "m", position=p) for p, id_ in enumerate("dbca", 5))
    found = scan.search(vector, 3)
    assert [(s, row.id, row.text) for s, row in found] == [(1.0, "a", "new"), (1.0, "b", "new"), (1.0, "c", "new")]
    assert len(scan) == 4
    assert scan.position == 8
