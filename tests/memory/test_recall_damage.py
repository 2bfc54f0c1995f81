"""What goes wrong with an index: deleted, damaged, killed, made with another model.  No answer may change."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from memory_records import Open
from recall_worker import item

from core.errors import ConfigError
from core.records import Memory
from memory.embeddings import HashEmbedder
from memory.ledger import Ledger
from memory.recall import Recall

QUESTIONS = ("depth 3 and rate 5", "operator 2", "trial 17", "nothing of it")
ROOT = Path(__file__).parents[2]
COUNT = 1_200
"""Beyond 1,000 Chroma writes its vector files."""


def answers(recall: Recall) -> list[list[Memory]]:
    return [recall.search(question, 5) for question in QUESTIONS]


@pytest.fixture
def before(open_recall: Open) -> list[list[Memory]]:
    """The answers with a sound index, which is then closed."""
    recall = open_recall()
    recall.remember([item(n) for n in range(COUNT)])
    assert recall.verify() == []
    found = answers(recall)
    recall.close()
    return found


def assert_index_answers(recall: Recall) -> None:
    """The index holds what the ledger holds, and finds each text by itself.

    Not more: with nothing near, Chroma's graph leads nowhere, and what it gives differs from build to build.
    """
    assert recall.verify() == []
    used = recall.searches["index"]
    for number in range(0, COUNT, 100):
        assert recall.search(item(number).text, 1, collection="trajectories")[0].id == item(number).id
    assert recall.searches["index"] == used + COUNT // 100


def delete_folder(index: Path) -> None:
    shutil.rmtree(index)


def delete_database(index: Path) -> None:
    (index / "chroma.sqlite3").unlink()


def damage_header(index: Path) -> None:
    overwrite(index / "chroma.sqlite3", 0, 64)


def damage_middle_page(index: Path) -> None:
    path = index / "chroma.sqlite3"
    overwrite(path, path.stat().st_size // 2 // 4096 * 4096, 4 * 4096)


def truncate_database(index: Path) -> None:
    path = index / "chroma.sqlite3"
    os.truncate(path, path.stat().st_size // 2)


def damage_vectors(index: Path) -> None:
    """Chroma would end the process with a segmentation fault."""
    (path,) = index.glob("*/data_level0.bin")
    overwrite(path, path.stat().st_size // 4, path.stat().st_size // 4)


def delete_vectors(index: Path) -> None:
    """Chroma would find 200 of 1,200 and say nothing."""
    (path,) = index.glob("*/data_level0.bin")
    shutil.rmtree(path.parent)


def damage_progress(index: Path) -> None:
    (index / "caught_up.json").write_text("{")


def overwrite(path: Path, start: int, size: int) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(random.Random(1).randbytes(size))


@pytest.mark.parametrize(
    "harm",
    [
        delete_folder,
        delete_database,
        damage_header,
        damage_middle_page,
        truncate_database,
        damage_vectors,
        delete_vectors,
        damage_progress,
    ],
)
def test_harm_to_the_index_changes_no_answer(
    open_recall: Open, before: list[list[Memory]], tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    harm(tmp_path / "recall" / "index")
    recall = open_recall(exact_up_to=0)
    assert_index_answers(recall)
    aside = list((tmp_path / "recall").glob("index.damaged-*"))
    if harm in (delete_folder, damage_progress):
        assert aside == []
    else:
        assert len(aside) == 1
        assert str(aside[0]) in " ".join(recall.notes)
    assert any("built from the ledger: 1200" in note for note in recall.notes)
    recall.close()
    again = open_recall()
    assert again.notes == ()
    assert answers(again) == before


def test_rebuilding_changes_no_answer_and_needs_no_model(open_recall: Open, before: list[list[Memory]]) -> None:
    class Absent(HashEmbedder):
        def embed(self, texts: object) -> object:  # type: ignore[override]
            raise AssertionError("the model was asked")

    recall = open_recall(Absent(), unchecked=True)
    assert recall.rebuild() == COUNT
    assert recall.verify() == []
    recall.close()
    again = open_recall(exact_up_to=0)
    assert_index_answers(again)
    again.close()
    assert answers(open_recall()) == before


def test_an_index_removed_in_mid_use_is_done_without(open_recall: Open, tmp_path: Path) -> None:
    recall = open_recall(exact_up_to=0)
    recall.remember([item(n) for n in range(50)])
    found = answers(recall)
    shutil.rmtree(tmp_path / "recall" / "index")
    assert answers(recall) == found
    recall.remember([item(77)])
    assert recall.search(item(77).text, 1)[0].id == item(77).id
    assert "removed while it was in use" in " ".join(recall.notes)
    recall.close()
    again = open_recall(exact_up_to=0)
    assert again.verify() == []
    assert again.search(item(77).text, 1)[0].id == item(77).id


def test_a_missing_entry_is_noticed(open_recall: Open, ledger: Ledger) -> None:
    recall = open_recall(exact_up_to=0)
    recall.remember([item(n) for n in range(9)])
    ledger.embeddings.clear([item(3).id])
    assert recall.verify() == [f"trajectories: 1 not in the ledger, such as {item(3).id}"]
    assert recall.rebuild() == 8
    assert recall.verify() == []


def test_another_model_is_refused_until_all_is_embedded_again(open_recall: Open) -> None:
    first = open_recall()
    first.remember([item(n) for n in range(30)])
    first.close()
    with pytest.raises(ConfigError) as refused:
        open_recall(HashEmbedder(64))
    text = str(refused.value)
    assert "hash-256 (256 dimensions)" in text
    assert "hash-64 (64)" in text
    assert "memory rebuild" in text
    with pytest.raises(ConfigError):
        open_recall(HashEmbedder(64), read_only=True)
    recall = open_recall(HashEmbedder(64), unchecked=True, exact_up_to=0)
    assert recall.rebuild() == 30
    assert recall.verify() == []
    assert recall.search(item(4).text, 1)[0].id == item(4).id
    recall.close()
    with pytest.raises(ConfigError):
        open_recall()


def test_another_model_is_refused_where_only_the_ledger_knows_the_old_one(open_recall: Open, tmp_path: Path) -> None:
    first = open_recall()
    first.remember([item(1)])
    first.close()
    shutil.rmtree(tmp_path / "recall")
    with pytest.raises(ConfigError, match="hash-256"):
        open_recall(HashEmbedder(64))
    with pytest.raises(ConfigError, match="hash-256"):
        open_recall(HashEmbedder(64), read_only=True).search("x")


def test_kill_in_mid_remember_loses_nothing_acknowledged(open_recall: Open, tmp_path: Path) -> None:
    moments = random.Random(7)
    acknowledged = 0
    for _ in range(3):
        command = [sys.executable, str(Path(__file__).with_name("recall_worker.py")), str(tmp_path), "remember"]
        process = subprocess.Popen(
            [*command, str(acknowledged)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert process.stdout is not None
        for _ in range(moments.randrange(3, 12)):
            acknowledged = int(process.stdout.readline())
        process.kill()  # somewhere in the batch after the last line
        rest = process.communicate()[0].split()
        acknowledged = int(rest[-1]) if rest else acknowledged
        assert process.returncode == -9
        recall = open_recall(exact_up_to=0)
        assert recall.verify() == []
        for number in range(0, acknowledged, 13):
            assert item(number).id in {m.id for m in recall.search(item(number).text, 3)}
        assert recall.searches["index"] > 0
        recall.close()
