from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from memory.embeddings import HashEmbedder
from memory.ledger import Ledger
from memory.outcomes import OutcomeStore
from memory.recall import Recall


@pytest.fixture
def store(tmp_path: Path) -> Iterator[OutcomeStore]:
    with (
        Ledger(tmp_path / "ledger.db") as ledger,
        Recall.open(tmp_path / "recall", ledger.embeddings, HashEmbedder()) as recall,
    ):
        yield OutcomeStore(ledger, recall)
