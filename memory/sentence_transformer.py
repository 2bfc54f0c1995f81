"""Texts as vectors by a model of sentence-transformers."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import ConfigError, UnavailableError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

__all__ = ["SentenceTransformerModel"]


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
