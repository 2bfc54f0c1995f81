"""The options of commands that run something, and those that all commands have."""

from __future__ import annotations

import argparse
from typing import Any

__all__ = [
    "detach_option",
    "global_options",
    "improve_options",
    "model_options",
    "run_options",
    "start_options",
]


def global_options(group: argparse._ArgumentGroup, default: Any) -> None:
    def add(*names: str, **options: Any) -> None:
        group.add_argument(*names, default=default, **options)

    add("-q", "--quiet", action="store_true", help="no progress, only the result")
    add("-v", "--verbose", action="store_true", help="every event, votes and rulings too")
    add("--json", action="store_true", help="one JSON object on stdout, errors too")
    add("--json-stream", action="store_true", help="JSON lines on stdout: start, every event, result")
    add("--plain", action="store_true", help="no colour, no moving lines")
    add("--color", choices=("auto", "always", "never"), help="colour (default: auto; NO_COLOR is honoured)")
    add("--home", metavar="DIR", help="state folder (default: .ratchet, or RATCHET_HOME)")
    add(
        "--set",
        action="append",
        metavar="KEY=VALUE",
        help="a setting, or a key of the campaign such as limits.time_s=60",
    )
    add("--no-input", action="store_true", help="ask nothing here: questions wait in the inbox")
    add("--seed", type=int, metavar="N", help="the campaign's seed")
    add("--debug", action="store_true", help="show the traceback of an internal error")


def run_options(at: argparse.ArgumentParser) -> None:
    at.add_argument("--cycles", type=int, metavar="N", help="cycles in all")
    at.add_argument("--until", metavar="TARGET", help="stop when reached, such as auc>=0.99")
    at.add_argument("--time", metavar="T", help="stop after this time, such as 30m")
    at.add_argument(
        "--control",
        action="append",
        choices=("random", "tpe", "best_of_n"),
        help="draw a control arm of the same budget",
    )
    at.add_argument("--report", metavar="FILE", help="where to write the HTML report")
    model_options(at)
    at.add_argument(
        "--approvals",
        choices=("ask", "low", "all", "never", "human", "confirm", "auto"),
        metavar="MODE",
        help="what runs without a person's yes: ask (nothing), low (what is of low risk), all, never (what would have "
        "to be asked is rejected); default: the campaign's. Without a terminal it ends with exit 5, and `inbox` shows "
        "what waits",
    )
    at.add_argument(
        "--trust-code",
        action="store_true",
        help="in a campaign of kind code: let candidates run where there is no isolation for them",
    )
    at.add_argument("--control-plane", metavar="URL", help="run the jobs there (default: CONTROL_PLANE_URL, else here)")


def start_options(at: argparse.ArgumentParser) -> None:
    at.add_argument("--new", action="store_true", help="start afresh even if an unfinished one could be gone on with")
    at.add_argument("--dry-run", action="store_true", help="check everything and say what would run; run nothing")
    detach_option(at)


def detach_option(at: argparse.ArgumentParser) -> None:
    at.add_argument(
        "--detach", action="store_true", help="run in a process of its own that outlives this one; `status` shows it"
    )


def model_options(at: argparse.ArgumentParser) -> None:
    at.add_argument(
        "--model",
        metavar="MODEL",
        help="none (default: the campaign's), auto (a reachable Ollama, else none), ollama:NAME, openai:NAME, "
        "replay:FILE, or module:factory of a LangChain chat model",
    )
    at.add_argument("--budget-usd", type=float, metavar="USD", help="what language models may cost")
    at.add_argument("--budget-tokens", type=int, metavar="N", help="tokens of language models, read and written")
    at.add_argument("--record", metavar="FILE", help="write every answer of a model there, for replay:FILE")


def improve_options(at: argparse.ArgumentParser) -> None:
    at.epilog = (
        "The service is started from a copy, or found where it runs; its load, when the campaign has one, runs beside. "
        "exit codes: 0 done · 1 ran and failed · 3 bad config or denied · 4 unavailable or busy · 5 waits for a person "
        "· 6 the last improvement was taken back"
    )
    at.add_argument("campaign_file", metavar="CAMPAIGN.yaml", help="the campaign's file, or its folder")
    at.add_argument("--cycles", type=int, metavar="N", help="cycles, one after the other (default: 1)")
    at.add_argument(
        "--plant-regression",
        action="store_true",
        help="in a further cycle put the campaign's PLANTED regression live, to see it caught and taken back",
    )
    at.add_argument(
        "--approve",
        action="append",
        default=[],
        metavar="OPPORTUNITY",
        help="your yes to an improvement that touches all tenants; repeatable",
    )
    at.add_argument("--keep-service", action="store_true", help="leave the service running that was started here")
    at.add_argument(
        "--schedule", action="store_true", help="stay, and run a cycle whenever it is time or an alarm is raised"
    )
    at.add_argument("--time", metavar="T", help="stop after this time, such as 30m")
    at.add_argument("--report", metavar="FILE", help="where to write the HTML report")
    model_options(at)
    at.add_argument(
        "--trust-code", action="store_true", help="let tests of changed code run where there is no isolation for them"
    )
    start_options(at)
    at.set_defaults(until=None, control=None, control_plane=None)
