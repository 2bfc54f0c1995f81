"""Texts as vectors: what an embedder is, and the three there are.

`embedder("")` is all-MiniLM-L6-v2, offline; `embedder("hash")` needs no model at all; any other name or path is
a model of sentence-transformers.  `python -m memory.embeddings` prepares the first beforehand.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.errors import ConfigError
from memory.minilm import MiniLM
from memory.sentence_transformer import SentenceTransformerModel

__all__ = ["Embedder", "HashEmbedder", "MiniLM", "SentenceTransformerModel", "embedder"]

DEFAULT_NAMES = ("", "default", "minilm", "all-minilm-l6-v2", "sentence-transformers/all-minilm-l6-v2")


class Embedder(Protocol):
    """Texts → vectors.  The same text has the same vector, whatever it is embedded with.

    Vectors of two embedders may be compared only when their `model_id` is the same.
    """

    @property
    def model_id(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """float32 [n, dimension], every row of unit length."""
        ...


def embedder(name: str = "") -> Embedder:
    """The embedder of that name; nothing is loaded yet.

    `""` or `all-MiniLM-L6-v2`: the model that comes with Ratchet.  `hash`: hashed words.  Else the folder of a
    sentence-transformers model, or the name of one in the local Hugging Face cache; nothing is downloaded.
    """
    if name.lower() in DEFAULT_NAMES:
        return MiniLM()
    if name == "hash":
        return HashEmbedder()
    return SentenceTransformerModel(name)


class HashEmbedder:
    """A bag of hashed words (Weinberger et al. 2009): each word adds ±1 to one of `dimension` places.

    Texts are alike as far as they share words.  Needs no model, loads in no time, and is the same on every machine.
    """

    def __init__(self, dimension: int = 256) -> None:
        if dimension < 1:
            raise ConfigError(f"the hash embedder has {dimension} dimensions", hint="give it 1 or more; 256 is usual")
        self.dimension = dimension
        self.model_id = f"hash-{dimension}"

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.zeros((len(texts), self.dimension))
        for row, text in zip(vectors, texts, strict=True):
            for word in re.findall(r"\w+", text.lower()):
                number = int.from_bytes(
                    hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest(), "little"
                )
                row[(number >> 1) % self.dimension] += 1.0 if number & 1 else -1.0
            if not row.any():  # no words, or words that cancel out: a direction of its own, not a zero
                row[0] = 1.0
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def main() -> None:
    """Prepare the model and say so in one line."""
    started = time.perf_counter()
    model = MiniLM()
    vector = model.embed(["ready"])[0]
    took_s = time.perf_counter() - started
    print(f"embeddings: {model.model_id}, {len(vector)} dimensions, {model.backend}, ready in {took_s:.1f} s")
    for note in model.notes:
        print(f"embeddings: {note}")


if __name__ == "__main__":
    main()
