"""Git repositories as users have them, and what must stay as it was in them whatever is delivered."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path

from tests.graph.code_packages import git

HOOKS = (
    "applypatch-msg", "pre-applypatch", "post-applypatch", "pre-commit", "pre-merge-commit", "prepare-commit-msg",
    "commit-msg", "post-commit", "pre-rebase", "post-checkout", "post-merge", "pre-push", "reference-transaction",
    "pre-auto-gc", "post-rewrite", "post-index-change",
)  # fmt: skip


def snapshot(folder: Path) -> dict[str, object]:
    """Every file of the working tree and of git's folder, by content, mode and time, but for objects and new branches;
    and what git says about it."""
    told: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if _is_new(name) or path.is_dir():
            continue
        about = path.lstat()
        content = str(path.readlink()) if path.is_symlink() else path.read_bytes()
        told[name] = (content, stat.S_IMODE(about.st_mode), about.st_mtime_ns)
    for words in (("status", "--porcelain=v2", "--branch"), ("stash", "list"), ("diff",), ("diff", "--cached")):
        look = ("--no-optional-locks", "-c", "diff.autoRefreshIndex=false")  # looking must not write the index
        told["git " + " ".join(words)] = git(folder, *look, *words, "--")
    return told


def _is_new(name: str) -> bool:
    """Objects, and the branch that was asked for with its reflog."""
    return ".git/objects/" in name or "refs/heads/ratchet" in name


def trap(folder: Path, marker: Path) -> None:
    """Hooks, filters, a monitor and a signature program that write `marker` when they are run."""
    script = f"#!/bin/sh\necho \"$0 $*\" >> '{marker}'\ncat\n"
    own = Path(git(folder, "rev-parse", "--path-format=absolute", "--git-common-dir").strip())
    for name in HOOKS:
        hook = own / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(script)
        hook.chmod(0o755)
    program = own / "program"
    program.write_text(script)
    program.chmod(0o755)
    (own / "info").mkdir(exist_ok=True)
    (own / "info" / "attributes").write_text("* filter=trap diff=trap merge=trap\n")
    settings: Mapping[str, str] = {
        "core.fsmonitor": str(program),
        "filter.trap.clean": str(program),
        "filter.trap.smudge": str(program),
        "filter.trap.required": "true",
        "diff.trap.textconv": str(program),
        "diff.trap.command": str(program),
        "merge.trap.driver": str(program),
        "gpg.program": str(program),
        "commit.gpgSign": "true",
        "push.gpgSign": "if-asked",
        "core.editor": str(program),
        "core.pager": str(program),
    }
    for name, value in settings.items():
        git(folder, "config", name, value)


def branches(folder: Path) -> dict[str, str]:
    """Branch → commit."""
    rows = git(folder, "for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads").splitlines()
    return dict(row.split() for row in rows)


def at(folder: Path, revision: str, path: str) -> bytes:
    """A file of a commit, as it is stored."""
    return git(folder, "cat-file", "blob", f"{revision}:{path}").encode()


def bare(folder: Path) -> Path:
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "--bare", "-b", "main")
    return folder
