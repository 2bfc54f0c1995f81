from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from memory_records import Open
from recall_worker import Scattered, item

from core.errors import BusyError, ConfigError, StorageError, UnavailableError
from memory.embeddings import HashEmbedder
from memory.recall import MemoryItem

WORKER = [sys.executable, str(Path(__file__).with_name("recall_worker.py"))]
ROOT = Path(__file__).parents[2]


def lesson(id_: str, text: str, campaign_id: str = "c-1", **metadata: str | float | int) -> MemoryItem:
    return MemoryItem(id=id_, collection="lessons", campaign_id=campaign_id, text=text, metadata=metadata)


@pytest.mark.parametrize("exact_up_to", [0, 5_000], ids=["index", "scan"])
def test_the_nearest_in_meaning_come_first(open_recall: Open, exact_up_to: int) -> None:
    recall = open_recall(exact_up_to=exact_up_to)
    recall.remember(
        [
            lesson("l-1", "a high learning rate diverges"),
            lesson("l-2", "a deep tree overfits"),
            MemoryItem("t-1", "trajectories", "c-2", "learning rate diverges", {"proposal_id": "p-1", "score": 0.5}),
            MemoryItem("g-1", "guidance", "c-1", "prefer small trees"),
        ]
    )
    found = recall.search("the learning rate diverges", 3)
    assert [m.id for m in found][:2] == ["t-1", "l-1"]
    assert (found[0].kind, found[0].campaign_id, found[0].proposal_id, found[0].score) == (
        "trajectory",
        "c-2",
        "p-1",
        0.5,
    )
    assert [m.id for m in recall.search("trees", 5, collection="guidance")] == ["g-1"]
    assert {m.id for m in recall.search("trees", 5, campaign_id="c-1")} == {"l-1", "l-2", "g-1"}
    assert {m.id for m in recall.search("trees", 5, exclude={"l-1", "t-1"})} == {"l-2", "g-1"}
    assert recall.search("trees", 0) == []
    assert recall.searches["index" if exact_up_to == 0 else "exact"] > 0


def test_metadata_come_back_as_fields(open_recall: Open) -> None:
    recall = open_recall()
    config = json.dumps({"rate": 0.1})
    recall.remember([lesson("l-1", "text", config=config, objective="maximize auc", score=1)])
    (memory,) = recall.search("text")
    assert (memory.config, memory.objective, memory.score) == ({"rate": 0.1}, "maximize auc", 1.0)
    assert (memory.kind, memory.similarity) == ("lesson", 1.0)


def test_what_is_told_twice_is_kept_once(open_recall: Open) -> None:
    recall = open_recall(exact_up_to=0)
    assert recall.remember([lesson("l-1", "first"), lesson("l-1", "again"), lesson("l-2", "other")]) == 2
    assert recall.remember([lesson("l-2", "changed"), lesson("l-3", "third")]) == 1
    assert {(m.id, m.text) for m in recall.search("x", 9)} == {("l-1", "first"), ("l-2", "other"), ("l-3", "third")}
    assert recall.verify() == []


@pytest.mark.parametrize("text", ["", "\ud800 half", "\x00\x1b[31m", "学习率 🙂", "word " * 5_000])
def test_any_text_is_remembered_and_asked_for(open_recall: Open, text: str) -> None:
    recall = open_recall(exact_up_to=0)
    recall.remember([lesson("l-1", text)])
    assert [m.id for m in recall.search(text)] == ["l-1"]
    assert recall.verify() == []


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (MemoryItem("x", "lesson", "c", "t"), "did you mean 'lessons'"),
        (lesson("x", "t", config="{not json"), "cannot be kept"),
        (lesson("x", "t", score="high"), "cannot be kept"),
    ],
)
def test_a_bad_item_is_refused_and_none_of_its_batch_is_kept(
    open_recall: Open, bad: MemoryItem, complaint: str
) -> None:
    recall = open_recall()
    with pytest.raises(ConfigError) as refused:
        recall.remember([lesson("l-1", "good"), bad])
    assert complaint in str(refused.value)
    assert recall.search("good") == []


def test_an_embedder_that_gives_nonsense_is_refused(open_recall: Open) -> None:
    class Broken(HashEmbedder):
        def embed(self, texts: object) -> np.ndarray:
            return np.full((len(texts), self.dimension), np.nan, dtype=np.float32)  # type: ignore[arg-type]

    recall = open_recall(Broken())
    with pytest.raises(UnavailableError, match="no usable vectors"):
        recall.remember([lesson("l-1", "good")])


def test_equal_texts_are_all_found_in_the_order_of_their_ids(open_recall: Open) -> None:
    """Chroma gives fewer of them than asked; the answer does not."""
    recall = open_recall(exact_up_to=0)
    recall.remember([lesson(f"l-{n:03}", "the same words", f"c-{n % 2}") for n in reversed(range(300))])
    assert [m.id for m in recall.search("same words", 7)] == [f"l-{n:03}" for n in range(7)]
    assert [m.id for m in recall.search("same words", 3, campaign_id="c-1")] == ["l-001", "l-003", "l-005"]


def test_a_small_campaign_in_a_large_collection_is_found_whole(open_recall: Open) -> None:
    recall = open_recall(Scattered(16), exact_up_to=0)
    recall.remember([item(n, campaigns=1) for n in range(400)])
    recall.remember([lesson("l-1", "far", "c-9"), MemoryItem("t-rare", "trajectories", "c-9", "rare")])
    assert [m.id for m in recall.search("anything", 5, collection="trajectories", campaign_id="c-9")] == ["t-rare"]
    assert recall.searches == {"exact": 0, "index": 1}


def test_chroma_gives_the_candidates_of_a_large_collection(open_recall: Open) -> None:
    """Random vectors, where an index is at its worst.  Measured against a scan of all."""
    owner = open_recall(Scattered(96))
    owner.remember([item(n) for n in range(5_400)])
    reader = open_recall(Scattered(96))
    assert (owner.owner, reader.owner) == (True, False)
    same, found = 0, 0
    for n in range(40):
        a, b = (r.search(f"question {n}", 10, collection="trajectories") for r in (owner, reader))
        same += a == b
        found += len({m.id for m in a} & {m.id for m in b})
    assert owner.searches == {"exact": 0, "index": 40}
    assert reader.searches == {"exact": 40, "index": 0}
    assert found / 400 >= 0.995, f"recall@10 is {found / 400}"
    assert same >= 38
    assert owner.verify() == []
    owner.close()
    again = open_recall(Scattered(96))
    assert again.notes == ()
    assert again.verify() == []


def test_another_process_gives_the_same_answers_without_chroma(open_recall: Open, tmp_path: Path) -> None:
    recall = open_recall(exact_up_to=0)
    recall.remember([item(n) for n in range(60)])
    done = subprocess.run(
        [*WORKER, str(tmp_path), "search", "depth 3"], capture_output=True, text=True, cwd=ROOT, env=env()
    )
    answer = json.loads(done.stdout)
    assert answer["found"] == [[m.id, m.similarity] for m in recall.search("depth 3", 5)]
    assert (answer["owner"], answer["rebuilt"], answer["chroma"]) == (False, False, False)


def test_what_another_process_adds_is_found_and_indexed(open_recall: Open) -> None:
    owner, other = open_recall(exact_up_to=0), open_recall()
    owner.remember([item(1)])
    other.remember([lesson("l-1", "said by another process")])
    assert owner.search("said by another process", 1)[0].id == "l-1"
    assert owner.verify() == []


def test_the_owner_is_one_and_the_next_takes_over_when_it_is_killed(open_recall: Open, tmp_path: Path) -> None:
    command = [*WORKER, str(tmp_path), "own"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=env())
    assert process.stdout is not None
    assert process.stdout.readline() == "True\n"
    second = open_recall()
    assert not second.owner
    with pytest.raises(BusyError) as refused:
        second.rebuild()
    assert f"process {process.pid}" in str(refused.value)
    process.kill()
    process.communicate()
    assert open_recall().owner


def test_a_reader_leaves_the_lock_to_others(open_recall: Open) -> None:
    assert not open_recall(read_only=True).owner
    assert open_recall().owner


def test_a_folder_that_cannot_be_made_is_one_clear_error(open_recall: Open, tmp_path: Path) -> None:
    (tmp_path / "recall").write_text("a file")
    with pytest.raises(StorageError, match="cannot open the memories"):
        open_recall()


def env() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": str(ROOT)}
