"""All commands: where each is carried out, and what it may be told."""

from __future__ import annotations

import argparse

from service.words.changing import deliver_options, export_options, feedback_options, propose_pr_options, rewind_options
from service.words.governing import (
    audit_options,
    control_plane_options,
    inbox_options,
    mcp_options,
    policy_options,
    serve_options,
)
from service.words.parser import Parser
from service.words.running import (
    detach_option,
    global_options,
    improve_options,
    model_options,
    run_options,
    start_options,
)

__all__ = ["CODE_FEEDBACK", "COMMANDS", "parser"]

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
"""Where the function of each command is."""
CODE_FEEDBACK = "--code-feedback"


def parser() -> argparse.ArgumentParser:
    """All commands and options."""
    common = Parser(add_help=False)
    global_options(common.add_argument_group("global options"), default=argparse.SUPPRESS)

    top = Parser(
        prog="python run_graph.py",
        description="Ratchet: a self-improving council of agents. Every gain is measured, every loss is rolled back.",
        epilog="exit codes: 0 done · 1 ran and failed · 2 usage · 3 bad config or input · 4 unavailable or busy · "
        "5 waits for a person · 6 an improvement was taken back · 7 budget or time reached · 8 a check did not pass · "
        "70 internal · 130 interrupted · 143 terminated",
    )
    global_options(top.add_argument_group("global options"), default=None)
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

    demo = command("demo", "a real campaign (training jobs, votes, a verdict), and a service that is improved")
    model_options(demo)
    demo.add_argument("--no-service", action="store_true", help="only the campaign, without the running service")
    doctor = command("doctor", "check this machine and the state folder, and say how to mend what is wrong")
    doctor.add_argument("--model", metavar="MODEL", help="a language model to try, as `run` takes it (default: auto)")
    at = command("init", "write a commented campaign and its training script to begin with")
    at.add_argument("folder", nargs="?", default="campaign", metavar="DIR", help="where (default: campaign)")

    run = command("run", "run a campaign, or go on with an unfinished one of the same definition")
    run.add_argument("campaign_file", metavar="CAMPAIGN.yaml", help="the campaign's file, or its folder")
    run_options(run)
    start_options(run)
    evolve = command("evolve", "run a campaign of kind code: change files, judged by their tests and a benchmark")
    evolve.add_argument("campaign_file", metavar="CAMPAIGN.yaml", help="the campaign's file, or its folder")
    run_options(evolve)
    start_options(evolve)
    improve_options(command("improve", "improve a running service: find, fix, put live, watch, take back"))
    resume = command("resume", "go on with a campaign where it was left")
    resume.add_argument("id", nargs="?", metavar="ID", help="campaign (default: the last one)")
    run_options(resume)
    detach_option(resume)

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
    deliver_options(command("deliver", "give away what a campaign on code has found: diff, branch, push, or files"))
    undo = command("undo", "take back the last change of your files that this program made; nothing is run")
    undo.add_argument("--list", action="store_true", help="every such change, and which one is next; change nothing")
    command("redo", "put back the change that was undone last")
    rewind_options(command("rewind", "go back in a campaign: what would be kept and forgotten, or a fork from there"))
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
    inbox_options(command)
    feedback_options(command("feedback", "comment Python files, score the comments, and find wrong docstrings"))
    policy_options(command("policy", "what may be done and why, and whether a rules file can be read"), common)
    audit_options(command("audit", "every decision of the policy; whether the record is whole"), common)
    control_plane_options(command("control-plane", "serve training jobs over HTTP: submit, watch, cancel, approve"))
    mcp_options(command("mcp", "every operation as a tool, for a client that starts this on its standard input"))
    serve_options(command("serve", "every operation over HTTP: start and watch campaigns, events, pull requests"))
    propose_pr_options(command("propose-pr", "open a change of code as a pull request on GitHub"))
    export_options(command("export", "a campaign for other programs: tables, traces, Prometheus, Optuna, MLflow"))
    webhooks = command("webhooks", "the webhooks that are set, and what was delivered; send one to try them")
    webhooks.add_argument("action", nargs="?", choices=("test",), help="send each of them one event named test")
    return top
