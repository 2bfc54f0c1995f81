"""Checkpoints of a campaign's cycles: LangGraph's SQLite saver, written on the event loop's own thread.

A write to a local WAL file takes tens of microseconds, less than handing it to a thread and back: the asynchronous
saver cost more CPU than the rest of the framework.  One file a campaign, readable by its owner only.

Checkpoints only save work: what a node has answered stands in the ledger, and a cycle without its checkpoints comes to
the same end.  A row may have been tampered with, so it is read strictly: records of ours and plain data, nothing that
is imported or called.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata, CheckpointTuple
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver

from core.errors import StorageError
from core.records import Direction, Expectation, Experiment, Lesson, Outcome, Proposal, Ruling, Tally, Vote
from memory import sqlite_file

__all__ = ["InlineSqliteSaver", "open_checkpoints"]

STATE_RECORDS = (Direction, Expectation, Experiment, Lesson, Outcome, Proposal, Ruling, Tally, Vote)
"""What a state holds; nothing else is made from a checkpoint.  Stated here and not left to the environment variable,
which has no effect in a program that imported LangGraph before us."""


class InlineSqliteSaver(SqliteSaver):
    """The synchronous saver behind the asynchronous interface."""

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        return self.get_tuple(config)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002  # the name is the interface
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        for found in self.list(config, filter=filter, before=before, limit=limit):
            yield found

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        return self.put(config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        self.put_writes(config, writes, task_id, task_path)

    async def adelete_thread(self, thread_id: str) -> None:
        self.delete_thread(thread_id)


@contextmanager
def open_checkpoints(path: Path) -> Iterator[InlineSqliteSaver]:
    """The saver over the file at `path`, made if it is not there.

    Raises StorageError when the disk is full, or when the file was damaged and has been set aside.
    """
    sqlite_file.prepare(path, "checkpoints")
    if fault := sqlite_file.damage(path):
        raise StorageError(
            f"the checkpoints are damaged ({fault}); they were set aside, and the ledger has all that was done",
            where=str(sqlite_file.set_aside(path)),
            hint="`python run_graph.py resume` goes on without them",
        )
    connection = sqlite3.connect(path, check_same_thread=False)
    try:
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", f"busy_timeout={sqlite_file.BUSY_TIMEOUT_MS}"):
            connection.execute(f"PRAGMA {pragma}")
        yield InlineSqliteSaver(connection, serde=JsonPlusSerializer(allowed_msgpack_modules=STATE_RECORDS))
    except sqlite3.Error as error:
        raise sqlite_file.storage_error(error, path, "checkpoint file") from error
    finally:
        connection.close()
