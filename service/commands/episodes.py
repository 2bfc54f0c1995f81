"""`episodes`: the log of training runs.  A campaign is a run, each of its cycles an episode."""

from __future__ import annotations

import argparse
import time
from typing import Any

import yaml

from core.episodes import TrainingEpisode
from core.errors import ConfigError, NotFoundError, StorageError, UsageError, nearest
from memory.episodes.logger import EpisodeLogger
from memory.episodes.shared import get_episode_logger
from memory.episodes.summary import summary_of
from service.escape import escaped
from service.operations.episodes import id_of_episode, row_of
from service.output import Output
from service.state import open_folder
from service.tables import columns, duration, fields

__all__ = ["episodes"]

SUMS = ("tokens_used", "llm_calls", "rag_queries", "changes_proposed", "changes_accepted", "error_count")
HEADS = ("tokens", "calls", "recalls", "proposed", "accepted", "errors")


def episodes(args: argparse.Namespace, output: Output) -> int:
    """`episodes [RUN] [EPISODE] [--rebuild]`"""
    folder = open_folder(args)
    logger = get_episode_logger(folder.episodes)
    if args.rebuild:
        return _rebuild(args, output, logger)
    if args.run is None:
        return _runs(output, logger)
    if args.episode is None and not _is_episode(logger, args.run):
        return _run(output, logger, _known_run(logger, args.run))
    episode_id = args.run if args.episode is None else id_of_episode(_known_run(logger, args.run), args.episode)
    episode = logger.load_episode(episode_id)
    told = episode.model_dump(mode="json", exclude={"version"})
    output.result(told, escaped(yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=100).rstrip()))
    return 0


def _runs(output: Output, logger: EpisodeLogger) -> int:
    told = []
    for run_id in logger.list_runs():
        damaged: dict[str, StorageError] = {}
        told.append(summary_of(run_id, logger.episodes(run_id, damaged), len(damaged)))
        _tell_damaged(output, damaged)
    rows = [
        (s["run_id"], s["total_episodes"], s["completed"], *(s[f"total_{name}"] for name in SUMS), _date(s))
        for s in told
    ]
    text = columns(rows, ("run", "episodes", "completed", *HEADS, "started")) if rows else "no episode was kept yet"
    output.result({"folder": str(logger.files.folder), "runs": told}, text)
    return 0


def _run(output: Output, logger: EpisodeLogger, run_id: str) -> int:
    damaged: dict[str, StorageError] = {}
    found = logger.episodes(run_id, damaged)
    summary = summary_of(run_id, found, len(damaged))
    _tell_damaged(output, damaged)
    rows = [
        (e.episode_id, e.status, _took(e), len(e.actions), len(e.outcomes), *(getattr(e.metrics, n) for n in SUMS))
        for e in found
    ]
    table = columns(rows, ("episode", "status", "took", "actions", "outcomes", *HEADS))
    statuses = ", ".join(f"{summary[s]} {s}" for s in ("completed", "running", "interrupted", "failed") if summary[s])
    sums = ", ".join(f"{summary[f'total_{name}']:,} {head}" for name, head in zip(SUMS, HEADS, strict=True))
    inference = duration(summary["total_inference_time_ms"] / 1e3)
    text = fields([(run_id, statuses or "none readable"), ("in all", f"{sums}; {inference} of inference")])
    output.result(
        {
            "run": run_id,
            "summary": summary,
            "episodes": [row_of(episode) for episode in found],
            "damaged": [{"episode_id": name, "what": error.what} for name, error in damaged.items()],
        },
        f"{table}\n\n{text}",
    )
    return 0


def _rebuild(args: argparse.Namespace, output: Output, logger: EpisodeLogger) -> int:
    from graph.episode_story import rebuild
    from service.state import pick_campaign

    if args.episode is not None:
        raise UsageError("--rebuild makes all episodes of a run", where="command line", hint="leave EPISODE out")
    with open_folder(args, must_exist=True).open_ledger() as ledger:
        run_id = pick_campaign(ledger, args.run).id
        made = rebuild(ledger, run_id, logger)
    output.say(f"{len(made)} episodes of {run_id} were made again from the ledger")
    return _run(output, logger, run_id)


def _known_run(logger: EpisodeLogger, name: str) -> str:
    """The run of that name, or the only one whose name begins so.  Raises NotFoundError."""
    runs = logger.list_runs()
    matching = [run for run in runs if run.startswith(name)]
    if name in runs:
        return name
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise NotFoundError(f"{name!r} could be {len(matching)} runs", where=", ".join(matching[:6]), hint="write more")
    hint = nearest(name, runs) if runs else "no episode was kept yet: `python run_graph.py run CAMPAIGN.yaml`"
    raise NotFoundError(f"there is no run {name!r}", where=str(logger.files.folder), hint=hint)


def _is_episode(logger: EpisodeLogger, name: str) -> bool:
    try:
        return logger.files.path(name).exists()
    except ConfigError:
        return False


def _tell_damaged(output: Output, damaged: dict[str, StorageError]) -> None:
    if damaged:
        output.say(f"{len(damaged)} damaged, left out: {escaped(', '.join(e.what for e in damaged.values()))}")


def _took(episode: TrainingEpisode) -> str | None:
    if episode.completed_at is None:
        return None
    return duration(max(0.0, episode.completed_at - episode.started_at))


def _date(summary: dict[str, Any]) -> str | None:
    at = summary["first_started_at"]
    return None if at is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
