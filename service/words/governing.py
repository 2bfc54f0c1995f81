"""The options of commands about leave: answers of a person, the policy, the audit; and of the servers."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from service.words.parser import Parser

__all__ = [
    "audit_options",
    "control_plane_options",
    "inbox_options",
    "mcp_options",
    "policy_options",
    "serve_options",
]


def inbox_options(command: Callable[[str, str], argparse.ArgumentParser]) -> None:
    inbox = command("inbox", "what waits for a person, or one question whole")
    inbox.epilog = "`python run_graph.py resume` goes on when nothing is open any more"
    inbox.add_argument("id", nargs="?", metavar="ID", help="a question (default: all that wait)")
    inbox.add_argument("--campaign", metavar="ID", help="only of this campaign")
    inbox.add_argument("--all", action="store_true", help="answered and expired ones too")
    inbox.add_argument("--rules", action="store_true", help="the answers that are remembered")
    inbox.add_argument("--forget", metavar="RULE", help="remember an answer no longer")
    approve = command("approve", "say yes to a question")
    approve.add_argument(
        "--remember", choices=("campaign", "project"), help="say yes from now on, to its proposer and up to its risk"
    )
    edit = command("edit", "say yes to another configuration: in $EDITOR, or with --set KEY=VALUE")
    respond = command("respond", "say no, and tell the council why: it becomes guidance")
    ignore = command("ignore", "say no to a question")
    for at in (approve, edit, respond, ignore):
        at.epilog = (
            "The first answer counts, from whatever door. exit codes: 0 it counts · 2 usage · "
            "3 it was answered or has expired, shows something else, or takes no such answer"
        )
        at.add_argument("id", metavar="ID", help="the question, or how its id begins")
        at.add_argument("--shown", metavar="HASH", help="refuse if the question shows anything else")
    respond.add_argument("text", nargs="+", metavar="TEXT", help="what the council should hear")
    ignore.add_argument("text", nargs="*", metavar="REASON", help="why")


def policy_options(at: argparse.ArgumentParser, common: Parser) -> None:
    actions = at.add_subparsers(dest="action", metavar="ACTION", required=True, parser_class=Parser)
    explain = actions.add_parser("explain", help="which rule decides, and what would change it", parents=[common])
    explain.add_argument("what", metavar="ACTION", help="such as PR_PROPOSE or DEPLOY")
    explain.add_argument(
        "--context",
        action="append",
        metavar="KEY=VALUE",
        help="such as risk_level=high, change_count=12, verified=true, roles=agent; default: you, at this machine",
    )
    check = actions.add_parser("check", help="whether a rules file can be read", parents=[common])
    check.add_argument("file", metavar="FILE")
    show = actions.add_parser("show", help="the rules in force", parents=[common])
    show.add_argument("--yaml", action="store_true", help="as a rules file, to begin one's own with")


def audit_options(at: argparse.ArgumentParser, common: Parser) -> None:
    audit_filter(at, default=None)
    at.add_argument("--limit", type=int, default=50, metavar="N", help="the newest N (default: 50)")
    at.add_argument("--before", type=int, metavar="ENTRY", help="only older than this entry")
    actions = at.add_subparsers(dest="audit_command", metavar="ACTION", parser_class=Parser)
    verify = actions.add_parser("verify", help="whether the chain is whole; exit 1 when not", parents=[common])
    verify.add_argument("--head", metavar="N:HASH", help="a head that was printed before: the chain must still hold it")
    export = actions.add_parser("export", help="write the entries to a file", parents=[common])
    export.add_argument("file", metavar="FILE", help="a .jsonl, which can be verified, or a .csv")
    export.add_argument("--format", choices=("jsonl", "csv"), help="default: by the name of the file")
    audit_filter(export, default=argparse.SUPPRESS)  # what stands before `export` holds too


def audit_filter(at: argparse.ArgumentParser, default: Any) -> None:
    at.add_argument("--action", dest="what", metavar="ACTION", default=default, help="only of this action")
    at.add_argument("--actor", metavar="NAME", default=default, help="only of this actor")
    at.add_argument("--tenant", metavar="NAME", default=default, help="only of this tenant")
    answers = ("allowed", "ask", "denied")
    at.add_argument("--decision", choices=answers, default=default, help="only with this answer")
    at.add_argument("--since", metavar="T", default=default, help="from then on: 2h (ago), or 2026-11-30T08:00")
    at.add_argument("--until", metavar="T", default=default, help="before then")


def control_plane_options(at: argparse.ArgumentParser) -> None:
    at.add_argument("--host", default="127.0.0.1", help="where to listen (default: 127.0.0.1)")
    at.add_argument("--port", type=int, default=8577, help="0 takes any free one (default: 8577)")
    at.add_argument("--token", metavar="TOKEN", help="default: CONTROL_PLANE_TOKEN, else one is made and kept")
    at.add_argument("--parallel", type=int, default=3, metavar="N", help="jobs that run at once (default: 3)")
    at.add_argument("--campaign", action="append", metavar="FILE", help="a campaign whose command may run; repeatable")
    at.add_argument("--allow-any-command", action="store_true", help="run whatever command a request brings")
    at.add_argument("--cancel-on-exit", action="store_true", help="end running jobs (default: they go on)")


def mcp_options(at: argparse.ArgumentParser) -> None:
    at.epilog = (
        'A client starts it: `{"command": "ratchet", "args": ["mcp", "--campaign", "FILE"]}`. Starting runs needs '
        "ENABLE_TRAINING=1 in its environment, pull requests ENABLE_AUTONOMY=1. docs/mcp.md has tools and resources."
    )
    at.add_argument("--campaign", action="append", metavar="FILE", help="a campaign that may be started; repeatable")
    at.add_argument(
        "--role",
        action="append",
        metavar="ROLE",
        help="what the client may do (default: agent, which cannot answer approvals); operator and owner can",
    )


def serve_options(at: argparse.ArgumentParser) -> None:
    at.epilog = (
        "ENABLE_TRAINING=1 lets clients start campaigns, ENABLE_AUTONOMY=1 open pull requests. A campaign that was "
        "started goes on when the server stops. docs/api.md has the routes."
    )
    at.add_argument("--host", default="127.0.0.1", help="where to listen (default: 127.0.0.1)")
    at.add_argument("--port", type=int, default=8578, help="0 takes any free one (default: 8578)")
    at.add_argument("--token", metavar="TOKEN", help="default: RATCHET_TOKEN, else one is made and kept")
    at.add_argument("--campaign", action="append", metavar="FILE", help="a campaign that may be started; repeatable")
    at.add_argument(
        "--role", action="append", metavar="ROLE", help="of whoever has the token (default: owner); repeatable"
    )
