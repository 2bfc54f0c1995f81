"""The base of a campaign on code: its files as they stood when it began, copied once and known by their hashes.

In a git repository it is what git tracks or would track; elsewhere everything but the folders that tools leave behind.
Links and files that are likely to hold keys are left out.  What a person changes afterwards changes no campaign.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.errors import ConfigError, StorageError
from core.ids import content_hash

__all__ = ["Base", "files_below", "open_base", "take_base"]

MANIFEST = "base.json"
TREE = "tree"
SCHEMA = 1
MOST_FILES = 20_000
MOST_BYTES = 500 * 1024 * 1024
LEFT_BEHIND = {
    ".git", ".hg", ".svn", "__pycache__", ".venv", "venv", "node_modules", ".mypy_cache", ".pytest_cache",
    ".ruff_cache", ".tox", ".nox", ".ratchet", ".hypothesis", ".eggs",
}  # fmt: skip
KEYS = (".env", ".env.*", "*.pem", "*.key", "*.p12", "id_rsa*", "id_ed25519*", ".netrc", ".pypirc", "credentials*")
GIT_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Base:
    """`tree` is the copied folder; `hashes` are SHA-256 by path; `commit` is git's, with `+` where files differed."""

    tree: Path
    hashes: Mapping[str, str]
    commit: str = ""

    @property
    def digest(self) -> str:
        """The identity of the whole base."""
        return content_hash(dict(sorted(self.hashes.items())))

    def damaged(self, paths: Mapping[str, str] | None = None) -> list[str]:
        """The paths (default: all) whose file is not what it was."""
        return [path for path in (paths or self.hashes) if _hash(self.tree / path) != self.hashes.get(path)]


def take_base(root: Path, folder: Path) -> Base:
    """Copy the files below `root` to `folder`, whole or not at all; one that is there already is opened instead.

    Raises ConfigError for a root that is no folder, empty or too big, StorageError when it cannot be written.
    """
    if (folder / MANIFEST).exists():
        return open_base(folder)
    root = root.resolve()
    if not root.is_dir():
        raise ConfigError("the folder of the code does not exist", where=str(root), hint="check `code.root`")
    paths = list(_listed(root))
    if not paths:
        raise ConfigError("there is no file in the folder of the code", where=str(root), hint="check `code.root`")
    _check_size(root, paths)
    partial = folder.with_name(f"{folder.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        hashes: dict[str, str] = {}
        for path in paths:
            target = partial / TREE / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / path, target)
            target.chmod(0o755 if (root / path).stat().st_mode & stat.S_IXUSR else 0o644)
            hashes[path] = _hash(target)
        told = {"schema": SCHEMA, "commit": _commit(root), "hashes": hashes}
        (partial / MANIFEST).write_text(json.dumps(told, indent=0, sort_keys=True))
        partial.replace(folder)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise StorageError(
            f"cannot copy the code: {error.strerror or error}", where=str(folder), hint="is the disk full?"
        ) from error
    return open_base(folder)


def files_below(root: Path) -> Iterator[str]:
    """The paths that a base of `root` would have, with slashes, sorted."""
    return _listed(root.resolve())


def open_base(folder: Path) -> Base:
    """A base that was taken before.  Raises StorageError when it is not there, or of another schema."""
    try:
        told = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError) as error:
        raise StorageError(
            "the copied code of the campaign cannot be read", where=str(folder), hint="start the campaign anew: --new"
        ) from error
    if told.get("schema") != SCHEMA:
        raise StorageError(f"schema {told.get('schema')!r} is not known", where=str(folder / MANIFEST))
    return Base(folder / TREE, told["hashes"], told["commit"])


def _listed(root: Path) -> Iterator[str]:
    """Paths of regular files below `root`, with slashes, sorted."""
    tracked = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if tracked is not None:
        paths = [path for path in tracked.split("\0") if path]
    else:
        paths = [str(path.relative_to(root)) for path in _walk(root)]
    for path in sorted(set(paths)):
        name = path.rpartition("/")[2]
        if LEFT_BEHIND & set(path.split("/")) or any(fnmatch.fnmatchcase(name, key) for key in KEYS):
            continue
        if (root / path).is_file() and not (root / path).is_symlink():
            yield path


def _walk(root: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if name not in LEFT_BEHIND)
        yield from (Path(folder) / name for name in files)


def _check_size(root: Path, paths: list[str]) -> None:
    size = 0
    for number, path in enumerate(paths, 1):
        size += (root / path).stat().st_size
        if number > MOST_FILES or size > MOST_BYTES:
            raise ConfigError(
                f"the folder of the code has more than {MOST_FILES:,} files or {MOST_BYTES // 2**20} MB",
                where=str(root),
                hint="set `code.root` to the part that is needed, or ignore the rest with .gitignore",
            )


def _git(root: Path, *words: str) -> str | None:
    """What git says about `root`, with nothing of the repository's or the user's configuration run; None without."""
    if shutil.which("git") is None:
        return None
    safe = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=false"]
    done = subprocess.run(  # noqa: S603
        ["git", *safe, "-C", str(root), *words],  # noqa: S607
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=GIT_TIMEOUT_S,
        env={"PATH": os.environ.get("PATH", os.defpath), "GIT_CONFIG_NOSYSTEM": "1", "GIT_OPTIONAL_LOCKS": "0"},
        check=False,
    )
    return done.stdout if done.returncode == 0 else None


def _commit(root: Path) -> str:
    commit = (_git(root, "rev-parse", "HEAD") or "").strip()
    return f"{commit}+" if commit and _git(root, "status", "--porcelain", "--", ".") else commit


def _hash(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
