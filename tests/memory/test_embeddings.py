from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ConfigError, UnavailableError
from memory.embeddings import HashEmbedder, MiniLM, SentenceTransformerModel, embedder
from memory.minilm import installed_folder

ROOT = Path(__file__).parents[2]
SENTENCES = (
    "learning_rate 0.003, max_depth 5; auc 0.993, +0.004 against the baseline",
    "a high learning rate diverges",
    "the optimiser blows up when steps are too large",
    "",
    "学习率太高 🙂 naïve café",
    "a \x00 control \x1b[31m text",
    "one word after another " * 200,
)
"""The last is longer than the 256 tokens that are read."""


@pytest.fixture(scope="module")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> MiniLM:
    model = MiniLM(cache=tmp_path_factory.mktemp("cache"))
    model.load()
    assert (model.backend, model.notes) == ("onnxruntime", [])
    return model


def python(code: str, *, home: Path, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own, with an empty home and outside of any CI."""
    hidden = ("XDG_CACHE_HOME", "CI", "ORT_DISABLE_TELEMETRY")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment |= {"HOME": str(home), "PYTHONPATH": os.pathsep.join(map(str, filter(None, (path, ROOT))))}
    command = [sys.executable, *(["-m", code] if code.startswith("memory.") else ["-c", code])]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=True)


def test_meaning_is_near_and_length_is_one(minilm: MiniLM) -> None:
    vectors = minilm.embed(SENTENCES)
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(SENTENCES), minilm.dimension)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-6)
    same_meaning, other_meaning = vectors[1] @ vectors[2], vectors[1] @ vectors[5]  # no word is shared in either
    assert same_meaning > other_meaning + 0.1
    assert minilm.embed([]).shape == (0, minilm.dimension)


def test_a_vector_does_not_depend_on_its_neighbours(minilm: MiniLM) -> None:
    together = minilm.embed(SENTENCES)
    for sentence, vector in zip(SENTENCES, together, strict=True):
        assert minilm.embed([sentence])[0].tobytes() == vector.tobytes()


def test_half_characters_do_no_harm(minilm: MiniLM) -> None:
    assert minilm.embed(["\ud800 half"]).tobytes() == minilm.embed(["? half"]).tobytes()


def test_threads_share_one_model(minilm: MiniLM) -> None:
    wanted = minilm.embed(SENTENCES[:3]).tobytes()
    fresh = MiniLM()
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(fresh.embed(SENTENCES[:3]).tobytes())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == [wanted] * 3


@pytest.fixture(scope="module")
def through_torch(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a process tells where onnxruntime cannot be imported; the import of torch is dear, so once for all."""
    folder = tmp_path_factory.mktemp("torch")
    (folder / "onnxruntime.py").write_text("raise ImportError('no onnxruntime on this machine')")
    code = f"""
import json
from core.errors import ConfigError
from memory.embeddings import MiniLM, embedder
model = MiniLM()
told = {{"vectors": model.embed({list(SENTENCES[:3])!r}).tolist()}}
told |= {{"backend": model.backend, "model_id": model.model_id, "notes": model.notes}}
reference = embedder({str(installed_folder())!r})
told["reference"] = [type(reference).__name__, reference.dimension, reference.model_id]
told["reference vectors"] = reference.embed({list(SENTENCES)!r}).tolist()
try:
    embedder("no-such/model").embed(["text"])
except ConfigError as error:
    told["unknown"] = str(error)
print(json.dumps(told))
"""
    told: dict[str, Any] = json.loads(python(code, home=folder, path=folder).stdout)
    return told


@pytest.mark.slow
def test_the_vectors_are_those_of_sentence_transformers(minilm: MiniLM, through_torch: dict[str, Any]) -> None:
    """The same weights through torch; also the way of a model of one's own, given by its folder."""
    kind, dimension, model_id = through_torch["reference"]
    assert kind == SentenceTransformerModel.__name__
    assert dimension == minilm.dimension
    assert model_id.startswith("model@")
    difference = np.abs(np.array(through_torch["reference vectors"]) - minilm.embed(SENTENCES)).max()
    assert difference < 1e-5


@pytest.mark.slow
def test_without_onnxruntime_sentence_transformers_does_it(minilm: MiniLM, through_torch: dict[str, Any]) -> None:
    """In a process where onnxruntime cannot be imported."""
    assert (through_torch["backend"], through_torch["model_id"]) == ("sentence-transformers", minilm.model_id)
    assert "no onnxruntime on this machine" in through_torch["notes"][0]
    assert np.abs(np.array(through_torch["vectors"]) - minilm.embed(SENTENCES[:3])).max() < 1e-5


@pytest.mark.slow
def test_an_unknown_model_is_one_clear_error(through_torch: dict[str, Any]) -> None:
    assert "no embedding model 'no-such/model' on this machine" in through_torch["unknown"]


def test_preparing_is_one_line_and_leaves_nothing_but_the_cache(tmp_path: Path) -> None:
    """No torch, no report to anybody: onnxruntime writes an id of the machine to the home folder when it reports."""
    first = python("memory.embeddings", home=tmp_path)
    assert first.stdout.startswith("embeddings: all-MiniLM-L6-v2@53aa51172d14, 384 dimensions, onnxruntime, ready in ")
    assert first.stdout.count("\n") == 1
    assert first.stderr == ""
    assert [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()] == [
        ".cache/ratchet/minilm-53aa51172d14-graph1.bin"
    ]
    code = """
import sys
from memory.embeddings import MiniLM
assert not {"torch", "onnx", "onnxruntime", "tokenizers", "sentence_transformers", "chromadb"} & set(sys.modules)
MiniLM().embed(["text"])
print([name for name in ("torch", "onnx", "sentence_transformers", "chromadb") if name in sys.modules])
"""
    assert python(code, home=tmp_path).stdout == "[]\n"


@pytest.mark.parametrize("damage", [b"", b"short", bytes(5_000)])
def test_a_damaged_cache_is_made_again(minilm: MiniLM, tmp_path: Path, damage: bytes) -> None:
    MiniLM(cache=tmp_path).load()
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    path.write_bytes(damage + whole[len(damage) :] if damage else b"")
    again = MiniLM(cache=tmp_path)
    assert again.embed(["text"]).tobytes() == minilm.embed(["text"]).tobytes()
    assert path.read_bytes() == whole
    assert again.notes == []


def test_a_cache_that_cannot_be_written_is_only_slower(minilm: MiniLM, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file, not a folder")
    model = MiniLM(cache=tmp_path / "cache")
    assert model.embed(["text"]).tobytes() == minilm.embed(["text"]).tobytes()
    assert "built at every start" in model.notes[0]


def test_other_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="cannot be read"):
        MiniLM(folder=tmp_path).load()
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    with pytest.raises(UnavailableError, match="are not those of all-MiniLM-L6-v2") as refused:
        MiniLM(folder=tmp_path).load()
    assert str(tmp_path) in str(refused.value)


@given(st.lists(st.text(max_size=40), max_size=5), st.sampled_from([1, 7, 256]))
def test_hashed_words_are_unit_vectors_and_the_same_each_time(texts: list[str], dimension: int) -> None:
    vectors = HashEmbedder(dimension).embed(texts)
    assert vectors.shape == (len(texts), dimension)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert HashEmbedder(dimension).embed(texts[::-1])[::-1].tobytes() == vectors.tobytes()


def test_hashed_words_are_alike_as_far_as_they_share_words() -> None:
    question, near, far = HashEmbedder().embed(["deep trees overfit", "deep trees", "a learning rate"])
    assert question @ near > 0.7 > question @ far
    with pytest.raises(ConfigError):
        HashEmbedder(0)


def test_names_of_embedders() -> None:
    assert isinstance(embedder(), MiniLM)
    assert isinstance(embedder("sentence-transformers/all-MiniLM-L6-v2"), MiniLM)
    assert embedder("hash").model_id == "hash-256"
    assert embedder("some/model").model_id == "some/model"
