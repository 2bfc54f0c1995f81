"""The command line: parse first, import after.  `--help` imports nothing heavy."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from core.errors import RatchetError, UnavailableError, UsageError, nearest
from service.output import Output
from service.telemetry import telemetry

__all__ = ["main", "parser"]

COMMANDS = {
    "demo": "service.commands.demo",
    "doctor": "service.commands.doctor",
    "init": "service.commands.init",
    "run": "service.commands.run",
    "resume": "service.commands.run",
    "evolve": "service.commands.run",
    "improve": "service.commands.improve",
    "status": "service.commands.look",
    "history": "service.commands.look",
    "show": "service.commands.look",
    "why": "service.commands.why",
    "agents": "service.commands.agents",
    "report": "service.commands.report",
    "deliver": "service.commands.deliver",
    "jobs": "service.commands.jobs",
    "logs": "service.commands.jobs",
    "episodes": "service.commands.episodes",
    "guide": "service.commands.guidance",
    "steer": "service.commands.guidance",
    "guidance": "service.commands.guidance",
    "memory": "service.commands.memory",
    "feedback": "service.commands.feedback",
    "inbox": "service.commands.inbox",
    "approve": "service.commands.inbox",
    "edit": "service.commands.inbox",
    "respond": "service.commands.inbox",
    "ignore": "service.commands.inbox",
    "policy": "service.commands.policy",
    "audit": "service.commands.audit",
    "control-plane": "service.commands.control_plane",
    "undo": "service.commands.undo",
    "redo": "service.commands.undo",
    "rewind": "service.commands.rewind",
    "propose-pr": "service.commands.propose_pr",
    "mcp": "service.commands.mcp",
    "serve": "service.commands.serve",
    "export": "service.commands.export",
    "webhooks": "service.commands.webhooks",
}
CODE_FEEDBACK = "--code-feedback"


class HelpAsked(Exception):  # noqa: N818  # a way out of the parser, not an error
    """Carries the text of the help that `-h` asks for."""


class Parser(argparse.ArgumentParser):
    """Errors as ours: one clear error, exit 2, and JSON where JSON was asked for; options are written whole."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        hint = f"`{self.prog} --help`"
        if "invalid choice: " in message and "argument COMMAND" in message:
            word = message.split("invalid choice: ")[1].split(" ")[0].strip("'\"")
            message, hint = f"there is no command {word!r}", nearest(word, COMMANDS)
        elif message.startswith("unrecognized arguments: "):
            word = message.removeprefix("unrecognized arguments: ").split(" ")[0]
            known = {option for action in self._all_actions() for option in action.option_strings}
            if word.startswith("-"):
                hint = nearest(word.partition("=")[0], known) if word.startswith("--") else hint
            message = f"{word} is not understood here"
        raise UsageError(message, where="command line", hint=hint)

    def print_help(self, file: Any = None) -> NoReturn:  # noqa: ARG002  # argparse's signature
        raise HelpAsked(self.format_help().rstrip())

    def _all_actions(self) -> list[argparse.Action]:
        """The options of this parser and of its commands."""
        own = list(self._actions)
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                own += [option for command in action.choices.values() for option in command._actions]
        return own


def parser() -> argparse.ArgumentParser:
    """All commands and options."""
    common = Parser(add_help=False)
    _global_options(common.add_argument_group("global options"), default=argparse.SUPPRESS)

    top = Parser(
        prog="run_graph.py",
        description="Ratchet: a self-improving council of agents. Every gain is measured, every loss is rolled back.",
        epilog="exit codes: 0 done · 1 ran and failed · 2 usage · 3 bad config or input · 4 unavailable or busy · "
        "5 waits for a person · 7 budget or time reached · 8 a check did not pass · 70 internal · 130 interrupted · "
        "143 terminated",
    )
    _global_options(top.add_argument_group("global options"), default=None)
    top.add_argument(
        CODE_FEEDBACK,
        metavar="FILE",
        action="append",
        help="the same as `feedback FILE`, with the options of that command",
    )
    top.add_argument(
        "--interactive",
        action="store_true",
        help="open the session, as a call without a command does in a terminal; reads commands from a pipe too",
    )
    top.set_defaults(door="cli")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)

    def command(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text, parents=[common])

    demo = command("demo", "one real campaign in under a minute: real training jobs, votes, a verdict and a report")
    _model_options(demo)
    demo.add_argument("--no-service", action="store_true", help="only the campaign, without the running service")
    doctor = command("doctor", "check this machine and the state folder, and say how to mend what is wrong")
    doctor.add_argument("--model", metavar="MODEL", help="a language model to try, as `run` takes it (default: auto)")
    at = command("init", "write a commented campaign and its training script to begin with")
    at.add_argument("folder", nargs="?", default="campaign", metavar="DIR", help="where (default: campaign)")

    run = command("run", "run a campaign, or go on with an unfinished one of the same definition")
    run.add_argument("campaign_file", metavar="CAMPAIGN.yaml", help="the campaign's file, or its folder")
    _run_options(run)
    _start_options(run)
    evolve = command("evolve", "run a campaign of kind code: change files, judged by their tests and a benchmark")
    evolve.add_argument("campaign_file", metavar="CAMPAIGN.yaml", help="the campaign's file, or its folder")
    _run_options(evolve)
    _start_options(evolve)
    _improve_options(command("improve", "improve a running service: find, fix, put live, watch, take back"))
    resume = command("resume", "go on with a campaign where it was left")
    resume.add_argument("id", nargs="?", metavar="ID", help="campaign (default: the last one)")
    _run_options(resume)
    _detach_option(resume)

    status = command("status", "how a campaign stands (default: the last one)")
    status.add_argument("id", nargs="?", metavar="ID")
    history = command("history", "all campaigns, or every trial of one")
    history.add_argument("id", nargs="?", metavar="ID")
    show = command("show", "a campaign, proposal or job, whole")
    show.add_argument("id", metavar="ID")
    why = command("why", "why a proposal was made, how it was voted on and ruled, and what came of it")
    why.add_argument("id", metavar="PROPOSAL")
    agents = command("agents", "who sits in the council, who was right, the rules or the model; change a persona")
    agents.add_argument("id", nargs="?", metavar="ID")
    agents.add_argument(
        "--switch",
        action="append",
        metavar="SEAT=PERSONA",
        help="give a seat to another persona from the next cycle on, also while the campaign runs; repeatable",
    )
    report = command("report", "write the HTML report of a campaign (default: the last one)")
    report.add_argument("id", nargs="?", metavar="ID")
    report.add_argument("--out", metavar="FILE", help="where (default: reports/ of the state folder)")
    _deliver_options(command("deliver", "give away what a campaign on code has found: diff, branch, push, or files"))
    undo = command("undo", "take back the last change of your files that this program made; nothing is run")
    undo.add_argument("--list", action="store_true", help="every such change, and which one is next; change nothing")
    command("redo", "put back the change that was undone last")
    _rewind_options(command("rewind", "go back in a campaign: what would be kept and forgotten, or a fork from there"))
    jobs = command("jobs", "the jobs of a campaign (default: the last one)")
    jobs.add_argument("id", nargs="?", metavar="ID")
    logs = command("logs", "what a job printed")
    logs.add_argument("id", metavar="JOB")
    episodes = command("episodes", "the log of training runs: every run, the episodes of one, or one episode whole")
    episodes.add_argument("run", nargs="?", metavar="RUN", help="a campaign, or another run; or an episode's id")
    episodes.add_argument("episode", nargs="?", metavar="EPISODE", help="its number, or its id")
    episodes.add_argument("--rebuild", action="store_true", help="make a campaign's episodes again from the ledger")
    guide = command("guide", 'say something to a campaign, such as "keep learning_rate below 0.01", for its next cycle')
    guide.add_argument("words", nargs="+", metavar="[ID] TEXT", help="default: the last unfinished campaign")
    steer = command("steer", "the same, for its next node: in the middle of a cycle")
    steer.add_argument("words", nargs="+", metavar="[ID] TEXT", help="default: the last unfinished campaign")
    guidance = command(
        "guidance", "what was said to a campaign, and what came of it; `guidance drop G1 [ID]` takes it back"
    )
    guidance.add_argument("words", nargs="*", metavar="[drop GID] [ID]", help="default: the last unfinished campaign")
    memory = command("memory", "search what was remembered, or rebuild the index")
    actions = memory.add_subparsers(dest="action", metavar="ACTION", required=True, parser_class=Parser)
    search = actions.add_parser("search", help="what is most like a text", parents=[common])
    search.add_argument("text", metavar="TEXT", nargs="+")
    search.add_argument("-k", type=int, default=5, help="how many (default: 5)")
    search.add_argument(
        "--collection",
        choices=("trajectories", "lessons", "guidance", "comments", "outcomes", "training"),
        help="only from one collection",
    )
    actions.add_parser("rebuild", help="make the index again from the ledger", parents=[common])
    _inbox_options(command)
    _feedback_options(command("feedback", "comment Python files, score the comments, and find wrong docstrings"))
    _policy_options(command("policy", "what may be done and why, and whether a rules file can be read"), common)
    _audit_options(command("audit", "every decision of the policy; whether the record is whole"), common)
    _control_plane_options(command("control-plane", "serve training jobs over HTTP: submit, watch, cancel, approve"))
    _mcp_options(command("mcp", "every operation as a tool, for a client that starts this on its standard input"))
    _serve_options(command("serve", "every operation over HTTP: start and watch campaigns, events, pull requests"))
    _propose_pr_options(command("propose-pr", "open a change of code as a pull request on GitHub"))
    _export_options(command("export", "a campaign for other programs: tables, traces, Prometheus, Optuna, MLflow"))
    webhooks = command("webhooks", "the webhooks that are set, and what was delivered; send one to try them")
    webhooks.add_argument("action", nargs="?", choices=("test",), help="send each of them one event named test")
    return top


def _inbox_options(command: Callable[[str, str], argparse.ArgumentParser]) -> None:
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


def _improve_options(at: argparse.ArgumentParser) -> None:
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
    _model_options(at)
    at.add_argument(
        "--trust-code", action="store_true", help="let tests of changed code run where there is no isolation for them"
    )
    _start_options(at)
    at.set_defaults(until=None, control=None, control_plane=None)


def _propose_pr_options(at: argparse.ArgumentParser) -> None:
    at.epilog = (
        "GITHUB_TOKEN is only ever read from the environment; GITHUB_REPO_OWNER, GITHUB_REPO_NAME and GITHUB_API_URL "
        "stand in for what is not given. Called again after any failure, it goes on where it stopped."
    )
    at.add_argument(
        "source", metavar="SOURCE", help="a diff (- for stdin), the changed copy of a folder, or a proposal in .json"
    )
    at.add_argument("--against", metavar="DIR", help="the folder that was changed (for a diff default: this one)")
    at.add_argument("--repo", metavar="OWNER/NAME", help="the repository on GitHub")
    at.add_argument("--base", metavar="BRANCH", help="the branch to merge into (default: the repository's)")
    at.add_argument("--title", metavar="TEXT", help="what the pull request is called")
    at.add_argument("--body-file", metavar="FILE", help="Markdown in place of the template, taken as it is")
    at.add_argument("--label", action="append", metavar="NAME", help="a label to add; repeatable")
    at.add_argument("--prefix", metavar="NAME", help="of the branch (default: aura-sicd)")
    at.add_argument("--draft", action="store_true", help="open it as a draft")
    _approval_option(at)
    at.add_argument("--out", metavar="FILE.json", help="write the proposal there too")
    at.add_argument("--dry-run", action="store_true", help="print every request that would be sent; send nothing")


def _export_options(at: argparse.ArgumentParser) -> None:
    at.epilog = (
        "csv, json, traces, prometheus are text: --out FILE, or stdout. optuna and mlflow are stores, a SQLite file or "
        "a URL (default: exports/ of the state folder), to which a repeated call adds what is new."
    )
    at.add_argument("id", nargs="?", metavar="ID", help="campaign (default: the last one)")
    at.add_argument(
        "--to", required=True, choices=("csv", "json", "traces", "prometheus", "optuna", "mlflow"), help="in which form"
    )
    at.add_argument(
        "--what",
        choices=("trials", "jobs", "votes", "events", "episodes"),
        help="which rows, for csv and json (default: trials)",
    )
    at.add_argument("--out", metavar="PATH", help="a file, - for stdout, or the URL of a store")
    at.add_argument("--force", action="store_true", help="write over a file that is there")


def _approval_option(at: argparse.ArgumentParser) -> None:
    at.add_argument("--approval", metavar="ID", default="", help="of the question that this call made, once answered")


def _rewind_options(at: argparse.ArgumentParser) -> None:
    at.epilog = (
        "Without --fork, --yes or --edit nothing is changed. POINT is a finished cycle (3), a node that comes next "
        "(3/voter), or the id of a checkpoint; without one they are listed. A fork is a new campaign with the past of "
        "the old one, which stays as it is. --set changes budgets of the fork. docs/time.md has more."
    )
    at.add_argument("where", nargs="*", metavar="[CAMPAIGN] POINT", help="default: the last campaign, and its points")
    at.add_argument("--fork", nargs="?", const="", metavar="NAME", help="make a fork, under this id if one is given")
    at.add_argument("--yes", action="store_true", help="do it: a fork, and the files too where --what says so")
    at.add_argument(
        "--what",
        choices=("state", "code", "both"),
        default="state",
        help="the campaign, the changes of your files since then, or both (default: state)",
    )
    at.add_argument("--guide", action="append", metavar="TEXT", help="a sentence that the fork begins with; repeatable")
    at.add_argument("--edit", action="store_true", help="edit what is on the agenda, or the rulings, in $EDITOR; fork")


def _policy_options(at: argparse.ArgumentParser, common: Parser) -> None:
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


def _audit_options(at: argparse.ArgumentParser, common: Parser) -> None:
    _audit_filter(at, default=None)
    at.add_argument("--limit", type=int, default=50, metavar="N", help="the newest N (default: 50)")
    at.add_argument("--before", type=int, metavar="ENTRY", help="only older than this entry")
    actions = at.add_subparsers(dest="audit_command", metavar="ACTION", parser_class=Parser)
    verify = actions.add_parser("verify", help="whether the chain is whole; exit 1 when not", parents=[common])
    verify.add_argument("--head", metavar="N:HASH", help="a head that was printed before: the chain must still hold it")
    export = actions.add_parser("export", help="write the entries to a file", parents=[common])
    export.add_argument("file", metavar="FILE", help="a .jsonl, which can be verified, or a .csv")
    export.add_argument("--format", choices=("jsonl", "csv"), help="default: by the name of the file")
    _audit_filter(export, default=argparse.SUPPRESS)  # what stands before `export` holds too


def _audit_filter(at: argparse.ArgumentParser, default: Any) -> None:
    at.add_argument("--action", dest="what", metavar="ACTION", default=default, help="only of this action")
    at.add_argument("--actor", metavar="NAME", default=default, help="only of this actor")
    at.add_argument("--tenant", metavar="NAME", default=default, help="only of this tenant")
    answers = ("allowed", "ask", "denied")
    at.add_argument("--decision", choices=answers, default=default, help="only with this answer")
    at.add_argument("--since", metavar="T", default=default, help="from then on: 2h (ago), or 2026-11-30T08:00")
    at.add_argument("--until", metavar="T", default=default, help="before then")


def _control_plane_options(at: argparse.ArgumentParser) -> None:
    at.add_argument("--host", default="127.0.0.1", help="where to listen (default: 127.0.0.1)")
    at.add_argument("--port", type=int, default=8577, help="0 takes any free one (default: 8577)")
    at.add_argument("--token", metavar="TOKEN", help="default: CONTROL_PLANE_TOKEN, else one is made and kept")
    at.add_argument("--parallel", type=int, default=3, metavar="N", help="jobs that run at once (default: 3)")
    at.add_argument("--campaign", action="append", metavar="FILE", help="a campaign whose command may run; repeatable")
    at.add_argument("--allow-any-command", action="store_true", help="run whatever command a request brings")
    at.add_argument("--cancel-on-exit", action="store_true", help="end running jobs (default: they go on)")


def _mcp_options(at: argparse.ArgumentParser) -> None:
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


def _serve_options(at: argparse.ArgumentParser) -> None:
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


def _global_options(group: argparse._ArgumentGroup, default: Any) -> None:
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


def _start_options(at: argparse.ArgumentParser) -> None:
    at.add_argument("--new", action="store_true", help="start afresh even if an unfinished one could be gone on with")
    at.add_argument("--dry-run", action="store_true", help="check everything and say what would run; run nothing")
    _detach_option(at)


def _detach_option(at: argparse.ArgumentParser) -> None:
    at.add_argument(
        "--detach", action="store_true", help="run in a process of its own that outlives this one; `status` shows it"
    )


def _run_options(at: argparse.ArgumentParser) -> None:
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
    _model_options(at)
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


def _model_options(at: argparse.ArgumentParser) -> None:
    at.add_argument(
        "--model",
        metavar="MODEL",
        help="none (default: the campaign's), auto (a reachable Ollama, else none), ollama:NAME, openai:NAME, "
        "replay:FILE, or module:factory of a LangChain chat model",
    )
    at.add_argument("--budget-usd", type=float, metavar="USD", help="what language models may cost")
    at.add_argument("--budget-tokens", type=int, metavar="N", help="tokens of language models, read and written")
    at.add_argument("--record", metavar="FILE", help="write every answer of a model there, for replay:FILE")


def _deliver_options(at: argparse.ArgumentParser) -> None:
    at.epilog = (
        "Nothing of a candidate is executed, and without --apply no file of yours, no index and no HEAD is touched. "
        "The same call again finds what it has made. exit codes: 0 done · 1 nothing is verified, it does not fit, or a "
        "name is taken · 2 usage · 3 no such campaign · 4 unavailable or busy"
    )
    at.add_argument("id", nargs="?", metavar="ID", help="candidate or campaign (default: the last campaign on code)")
    at.add_argument("--diff", metavar="FILE", help="write the diff there; - prints it")
    at.add_argument(
        "--branch",
        nargs="?",
        const="",
        metavar="NAME",
        help="make a branch in your repository (default: ratchet/ID); the candidate's id is always in the name",
    )
    at.add_argument("--push", metavar="REMOTE", help="push that branch to a remote, by name, path or URL")
    at.add_argument("--onto", metavar="REV", help="the commit that it goes on from (default: HEAD)")
    at.add_argument(
        "--pull-request",
        metavar="OWNER/NAME",
        help="open a pull request on GitHub with the dossier as its body (GITHUB_TOKEN), and nothing else",
    )
    at.add_argument(
        "--dry-run", action="store_true", help="with --pull-request: print what would be sent; send nothing"
    )
    at.add_argument("--apply", action="store_true", help="change the files of your working tree, keeping the old ones")
    at.add_argument("--dossier", metavar="FILE", help="write the evidence there too: JSON for .json, else Markdown")
    _approval_option(at)
    at.add_argument("--unverified", action="store_true", help="even if no comparison on fresh seeds found it better")


def _feedback_options(at: argparse.ArgumentParser) -> None:
    at.epilog = (
        "Nothing of the files is executed, and without --write nothing of them is changed. "
        "exit codes: 0 done · 1 some of several files could not be analysed · 2 usage · 3 the only file could not be "
        "analysed · 4 unavailable or busy · 8 --check did not pass"
    )
    at.add_argument("files", nargs="+", metavar="FILE", help="Python files, and folders of them")
    at.add_argument("--iterations", type=int, default=2, metavar="N", help="rounds at most (default: 2)")
    at.add_argument(
        "--guidance", action="append", metavar="TEXT", help='what to look at, such as "Focus on type hints"'
    )
    _model_options(at)
    at.add_argument(
        "--write", action="store_true", help="write # comments into the files; their syntax trees stay the same"
    )
    at.add_argument("--diff", action="store_true", help="print what --write would change, as a unified diff")
    at.add_argument("--check", action="store_true", help="exit 8 when a reward is below the threshold or the baseline")
    at.add_argument("--threshold", type=float, metavar="R", help="the reward that --check wants, 0 to 1 (default: 0.6)")
    at.add_argument(
        "--baseline",
        metavar="FILE",
        help="store rewards and defects there; with --check, compare: no lower reward (by 0.01), no new defect",
    )
    at.add_argument("--sarif", metavar="FILE", help="write defects and issues as SARIF 2.1.0")


def _long_form(words: Sequence[str]) -> list[str]:
    """`--code-feedback FILE …` as `feedback FILE …`."""
    files: list[str] = []
    rest: list[str] = []
    for word in (at := iter(words)):
        if word == CODE_FEEDBACK:
            files += [value for value in [next(at, None)] if value is not None]
        elif word.startswith(f"{CODE_FEEDBACK}="):
            files.append(word.partition("=")[2])
        else:
            rest.append(word)
    return ["feedback", *files, *rest] if len(rest) < len(words) else list(words)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; answers its exit code.  Every error is shown once, in three lines or as JSON."""
    words = list(sys.argv[1:] if argv is None else argv)
    output = Output.from_words(words)
    try:
        args = parser().parse_args(_long_form(words))
        if args.command is None:
            if not _wants_session(args):
                raise HelpAsked(parser().format_help().rstrip())
            from service.commands.session import session

            return session(args)
        output = Output.from_args(args)
        with telemetry(args.command, output):
            module = importlib.import_module(COMMANDS[args.command])
            code: int = getattr(module, args.command.replace("-", "_"))(args, output)
        return code
    except HelpAsked as asked:
        output.result({"help": str(asked)}, str(asked))
        return 0
    except RatchetError as error:
        return _told(output, error)
    except KeyboardInterrupt:
        return _told(output, InterruptedByUserError("interrupted"))
    except OSError as error:
        return _told(output, UnavailableError(f"the system refused: {error.strerror or error}", where=_file(error)))
    except Exception as error:
        if "--debug" in words:
            raise
        what = f"internal error: {type(error).__name__}: {error}"
        return _told(output, RatchetError(what, hint="repeat it with --debug for the traceback"))


def _wants_session(args: argparse.Namespace) -> bool:
    """Whether a call without a command opens the session: asked for, or in a terminal."""
    if args.interactive:
        return True
    try:
        return sys.stdin.isatty() and sys.stdout.isatty() and not (args.json or args.json_stream)
    except (AttributeError, ValueError):  # closed
        return False


class InterruptedByUserError(RatchetError):
    """Ctrl-C outside a campaign."""

    exit_code = 130


def _told(output: Output, error: RatchetError) -> int:
    output.error(error)
    return error.exit_code


def _file(error: OSError) -> str:
    return "" if error.filename is None else str(error.filename)
