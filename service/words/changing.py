"""The options of commands that change files, or give something away."""

from __future__ import annotations

import argparse

from service.words.running import model_options

__all__ = [
    "deliver_options",
    "export_options",
    "feedback_options",
    "propose_pr_options",
    "rewind_options",
]


def deliver_options(at: argparse.ArgumentParser) -> None:
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
    approval_option(at)
    at.add_argument("--unverified", action="store_true", help="even if no comparison on fresh seeds found it better")


def propose_pr_options(at: argparse.ArgumentParser) -> None:
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
    approval_option(at)
    at.add_argument("--out", metavar="FILE.json", help="write the proposal there too")
    at.add_argument("--dry-run", action="store_true", help="print every request that would be sent; send nothing")


def rewind_options(at: argparse.ArgumentParser) -> None:
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


def feedback_options(at: argparse.ArgumentParser) -> None:
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
    model_options(at)
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


def export_options(at: argparse.ArgumentParser) -> None:
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


def approval_option(at: argparse.ArgumentParser) -> None:
    at.add_argument("--approval", metavar="ID", default="", help="of the question that this call made, once answered")
