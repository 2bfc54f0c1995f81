"""The recall index: memories found by meaning.  Only this package knows chromadb, and imports it at the first need."""

from memory.embedding_rows import EmbeddingRow
from memory.recall.items import COLLECTIONS, EmbeddingStore, MemoryItem
from memory.recall.recall import EXACT_UP_TO, Recall

__all__ = ["COLLECTIONS", "EXACT_UP_TO", "EmbeddingRow", "EmbeddingStore", "MemoryItem", "Recall"]
