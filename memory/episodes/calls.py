"""The calls that parts of a program log into the episode in hand: recall, language models, embeddings.

    with rag_query("slow loops", collection="lessons") as query:
        query.results = [memory.id for memory in recall.search(query.query)]

Each logs one action with its time and adds to the metrics, also when the work inside raises (it is an error then).
Where no episode is open nothing happens, and trouble with the log is told once and never reaches the work.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from core.errors import RatchetError
from memory.episodes.logger import EpisodeLogger
from memory.episodes.shared import get_episode_logger

__all__ = ["Embedding", "Generation", "Query", "embedding_generation", "llm_generation", "rag_query"]


@dataclass
class Query:
    """`results`: what was found, as ids or texts; filled in by the work."""

    query: str
    collection: str
    results: Any = ()


@dataclass
class Generation:
    """`tokens`: read and written together; filled in by the work."""

    prompt: str
    model: str
    backend: str
    tokens: int = 0


@dataclass
class Embedding:
    text: str
    model: str


@contextmanager
def rag_query(query: str, *, collection: str = "", logger: EpisodeLogger | None = None) -> Iterator[Query]:
    """Log a question to recall."""
    asked = Query(query, collection)
    with _logged("rag_query", asked, logger, rag_queries=1):
        yield asked


@contextmanager
def llm_generation(
    prompt: str, *, model: str, backend: str = "", logger: EpisodeLogger | None = None
) -> Iterator[Generation]:
    """Log a call of a language model.  The prompt is cut to two thousand characters; its name alone will do."""
    asked = Generation(prompt, model, backend)
    with _logged("llm_generation", asked, logger, llm_calls=1):
        yield asked


@contextmanager
def embedding_generation(text: str, *, model: str, logger: EpisodeLogger | None = None) -> Iterator[Embedding]:
    """Log the embedding of a text."""
    asked = Embedding(text, model)
    with _logged("embedding_generation", asked, logger):
        yield asked


@contextmanager
def _logged(
    name: str, asked: Query | Generation | Embedding, logger: EpisodeLogger | None, **increments: float
) -> Iterator[None]:
    began, failure = time.perf_counter(), ""
    try:
        yield
    except BaseException as error:
        failure = f"{type(error).__name__}: {error}"
        raise
    finally:
        took = 1e3 * (time.perf_counter() - began)
        told = {**vars(asked), "duration_ms": round(took, 3)}
        if isinstance(asked, Generation):
            increments |= {"tokens_used": asked.tokens, "inference_time_ms": took}
        if failure:
            told, increments = {**told, "error": failure}, {**increments, "error_count": 1}
        try:
            (logger or get_episode_logger()).log_action(name, told, increments=increments)
        except RatchetError as error:
            _warn_once(error)


_warned = False


def _warn_once(error: RatchetError) -> None:
    global _warned
    if not _warned:
        _warned = True
        logging.getLogger("ratchet").warning("an episode is not logged: %s (told once)", error.what)
