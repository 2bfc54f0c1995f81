"""A process of its own that works on the memories of a folder: `python recall_worker.py FOLDER TASK [ARGUMENT…]`."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import BusyError
from memory.embeddings import HashEmbedder
from memory.ledger import Ledger
from memory.recall import MemoryItem, Recall


class Scattered:
    """An embedder without structure: each text has a random direction of its own.  The worst case for an index."""

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self.model_id = f"scattered-{dimension}"

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        seeds = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") for text in texts]
        vectors = np.array([np.random.default_rng(seed).standard_normal(self.dimension) for seed in seeds])
        vectors = vectors.reshape(len(texts), self.dimension)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def item(number: int, collection: str = "trajectories", campaigns: int = 3) -> MemoryItem:
    text = f"trial {number} with depth {number % 7} and rate {number % 11}, operator {number % 3}"
    return MemoryItem(
        id=f"t-{number:05}",
        collection=collection,
        campaign_id=f"c-{number % campaigns}",
        text=text,
        metadata={"score": number},
    )


def main(folder: Path, task: str, *arguments: str) -> None:
    ledger = Ledger(folder / "ledger.db")
    recall = Recall.open(folder / "recall", ledger.embeddings, HashEmbedder(), exact_up_to=0)
    if task == "remember":  # batches of five without end; each acknowledged by a line
        number = int(arguments[0])
        while True:
            recall.remember([item(n) for n in range(number, number + 5)])
            number += 5
            print(number, flush=True)
    if task == "own":  # hold the index until standard input closes
        print(recall.owner, flush=True)
        sys.stdin.read()
    if task == "search":
        found = [(m.id, m.similarity) for m in recall.search(arguments[0], 5)]
        try:
            recall.rebuild()
            rebuilt = True
        except BusyError:
            rebuilt = False
        print(
            json.dumps({"owner": recall.owner, "found": found, "rebuilt": rebuilt, "chroma": "chromadb" in sys.modules})
        )
    recall.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
