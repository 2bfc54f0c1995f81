"""Texts as vectors: what an embedder is, and the three there are.

`embedder("")` is all-MiniLM-L6-v2, offline; `embedder("hash")` needs no model at all; any other name or path is
a model of sentence-transformers.  `python -m memory.embeddings` prepares the first beforehand.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from core.errors import ConfigError, UnavailableError
from memory.minilm import MiniLM

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

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


class SentenceTransformerModel:
    """A model of the user's choice through sentence-transformers, on one thread of the CPU.

    `source` is a folder, or a name in the local Hugging Face cache.  Importing torch takes seconds and 400 MB.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self._lock = threading.Lock()
        self._model: SentenceTransformer | None = None

    @property
    def model_id(self) -> str:
        """The name, or for a folder its name and the hash of its weights: other weights are another model."""
        folder = Path(self.source).expanduser()
        if not folder.is_dir():
            return self.source
        digest = hashlib.sha256()
        for path in sorted(p for p in folder.rglob("*") if p.suffix in (".safetensors", ".bin")):
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return f"{folder.resolve().name}@{digest.hexdigest()[:12]}"

    @property
    def dimension(self) -> int:
        return int(self.load().get_embedding_dimension() or 0)

    def load(self) -> SentenceTransformer:
        """The model, loaded once.  Raises ConfigError when there is none of that name here."""
        with self._lock:
            if self._model is None:
                try:
                    from sentence_transformers import SentenceTransformer
                except ImportError as error:
                    raise UnavailableError(
                        f"sentence-transformers cannot be imported: {error}", hint="pip install sentence-transformers"
                    ) from error
                folder = Path(self.source).expanduser()
                try:
                    self._model = SentenceTransformer(
                        str(folder) if folder.is_dir() else self.source, device="cpu", local_files_only=True
                    )
                except (OSError, ValueError) as error:
                    raise ConfigError(
                        f"there is no embedding model {self.source!r} on this machine",
                        where=str(error).splitlines()[0] if str(error) else "",
                        hint=f"give the folder of one, or fetch it once: hf download {self.source}",
                    ) from error
            return self._model

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        import torch

        model = self.load()
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            # one by one: padded in a batch, a vector would depend on its neighbours
            vectors = [
                model.encode([text], normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True)[0]
                for text in texts
            ]
        finally:
            torch.set_num_threads(threads)
        return np.asarray(vectors, dtype=np.float32).reshape(len(texts), self.dimension)


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
