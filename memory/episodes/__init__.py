"""The episode log: what each training run did, one JSON file an episode."""

from memory.episodes.calls import embedding_generation, llm_generation, rag_query
from memory.episodes.files import EpisodeFiles
from memory.episodes.logger import EpisodeLogger
from memory.episodes.shared import get_episode_logger, share_episodes
from memory.episodes.summary import summary_of

__all__ = [
    "EpisodeFiles",
    "EpisodeLogger",
    "embedding_generation",
    "get_episode_logger",
    "llm_generation",
    "rag_query",
    "share_episodes",
    "summary_of",
]
