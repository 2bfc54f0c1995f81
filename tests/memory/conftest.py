from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from memory_records import Open

from memory.embeddings import Embedder, HashEmbedder
from memory.ledger import Ledger
from memory.recall import Recall


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "ledger.db")
    yield ledger
    ledger.close()


@pytest.fixture
def open_recall(tmp_path: Path, ledger: Ledger) -> Iterator[Open]:
    """Opens the memories of one folder, as often as asked; closes all of them at the end."""
    opened: list[Recall] = []

    def open_(embedder: Embedder | None = None, **options: Any) -> Recall:
        opened.append(Recall.open(tmp_path / "recall", ledger.embeddings, embedder or HashEmbedder(), **options))
        return opened[-1]

    yield open_
    for recall in opened:
        recall.close()
