"""The versions of a service's code, each whole in a folder of its own, and one link to the live one.

    FOLDER/releases/<digest>/base.json    SHA-256 of every file
    FOLDER/releases/<digest>/tree/        the files
    FOLDER/current                        → releases/<digest>/tree
    FOLDER/routes.json                    which tenants, and which share of the requests, get another release

Whoever resolves `current` once sees one release and never parts of two: a release appears whole by a rename, and
`current` is replaced by a rename.  A release is never written to again.  This holds for the link only: a program that
opens `current/a.py`, and later `current/b.py`, may find a switch in between.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from core.deployment import LiveTarget
from core.errors import ConfigError, DeniedError, DeploymentError, NotFoundError, StorageError
from core.ids import content_hash
from core.records import lies_below
from runtime.delivery.files import put_file
from runtime.workspaces import Base, open_base, take_base

__all__ = ["Changes", "Releases", "check_allowed"]

Changes = Mapping[str, str | bytes | None]
"""By path: what the file becomes; None: it goes."""

DIGEST = re.compile(r"[0-9a-f]{64}")
MOST_CHANGES = 200
MOST_BYTES = 20 * 1024 * 1024


class Releases:
    """The releases below `folder`.  Raises StorageError for what cannot be read or written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self._releases = self.folder / "releases"
        self.link = self.folder / "current"

    # ------------------------------------------------------------------- reading

    def current(self) -> str:
        """The digest of the live release.  Raises NotFoundError when none was ever adopted."""
        try:
            target = Path(os.readlink(self.link))  # noqa: PTH115  # the link itself, not what it leads to
        except FileNotFoundError as error:
            raise NotFoundError(
                "the service has no release yet", where=str(self.link), hint="adopt the folder of its code first"
            ) from error
        except OSError as error:
            raise StorageError(
                f"`current` cannot be read: {error.strerror}", where=str(self.link), hint="it has to be a link"
            ) from error
        parts = target.parts
        if len(parts) != 3 or parts[0] != "releases" or parts[2] != "tree" or not DIGEST.fullmatch(parts[1]):
            raise StorageError("`current` leads to something that is no release", where=f"{self.link} → {target}")
        return parts[1]

    def tree(self, digest: str) -> Path:
        return self._open(digest).tree

    def files(self, digest: str) -> dict[str, str]:
        """SHA-256 by path."""
        return dict(self._open(digest).hashes)

    def all(self) -> list[str]:
        """Every release, oldest first."""
        if not self._releases.is_dir():
            return []
        found = [path for path in self._releases.iterdir() if DIGEST.fullmatch(path.name)]
        return [path.name for path in sorted(found, key=lambda path: (path.stat().st_mtime, path.name))]

    def check(self, digest: str) -> None:
        """Raises StorageError when the release is not, to the byte, what it was when it was stored."""
        base = self._open(digest)
        wrong = base.damaged()
        there = {
            str(path.relative_to(base.tree))
            for path in base.tree.rglob("*")
            if (path.is_symlink() or not path.is_dir()) and "__pycache__" not in path.parts
        }
        wrong += sorted(there - set(base.hashes))
        if wrong or base.digest != digest:
            raise StorageError(
                f"the release is no longer what was stored: {', '.join(wrong[:8]) or 'its list of files'}",
                where=str(self._releases / digest),
                hint="it is not put live; restore the folder from a back-up of your own, or adopt the code anew",
            )

    # ------------------------------------------------------------------- writing

    def adopt(self, code: Path) -> str:
        """The first release: a copy of the folder `code`, which is left alone.  One that is live already stays.

        In a git repository it is what git tracks or would track.  Links, and files that are likely to hold keys, are
        left out.  Raises ConfigError.
        """
        if self.link.is_symlink():
            return self.current()
        if self.link.exists():
            raise ConfigError("`current` is not a link", where=str(self.link), hint="choose another folder")
        self._prepare()
        aside = self._releases / "adopting.partial"
        shutil.rmtree(aside, ignore_errors=True)
        base = take_base(code, aside)
        digest = base.digest
        with _disk(self._releases):
            if (self._releases / digest).exists():
                shutil.rmtree(aside)
            else:
                _sync_tree(aside)
                aside.rename(self._releases / digest)
        self.switch(digest)
        return digest

    def store(self, base: str, changes: Changes) -> str:
        """A release made of `base` with `changes`, whole or not at all; answers its digest.  Nothing goes live.

        Raises DeploymentError when nothing would change.
        """
        before = self._open(base)
        self.check(base)
        contents = {path: _bytes(content) for path, content in changes.items()}
        after = _after(before, contents)
        digest = content_hash(dict(sorted(after.items())))
        if digest == base:
            raise DeploymentError("the change leaves every file as it is", where=str(self.folder))
        final = self._releases / digest
        if final.exists():
            self.check(digest)
            return digest
        partial = self._releases / f"{digest}.partial"
        with _disk(self._releases):
            shutil.rmtree(partial, ignore_errors=True)
            try:
                self._fill(partial, before, after, contents)
                partial.rename(final)
            except OSError:
                shutil.rmtree(partial, ignore_errors=True)
                raise
            _sync(self._releases)
        self.check(digest)
        return digest

    def digest_of(self, base: str, changes: Changes) -> str:
        """The digest that `store` would answer."""
        contents = {path: _bytes(content) for path, content in changes.items()}
        return content_hash(dict(sorted(_after(self._open(base), contents).items())))

    def switch(self, digest: str) -> None:
        """`current` leads to the release, in one step and on the disk.  Raises StorageError when it is damaged."""
        self.check(digest)
        beside = self.folder / ".current.new"
        with _disk(self.folder):
            beside.unlink(missing_ok=True)
            beside.symlink_to(Path("releases") / digest / "tree")
            beside.replace(self.link)
            _sync(self.folder)

    def prune(self, needed: Iterable[str], keep: int) -> list[str]:
        """Remove all but the `keep` newest of the releases that are neither live nor `needed`; answers which."""
        spared = {self.current(), *needed}
        spare = [digest for digest in self.all() if digest not in spared]
        gone = spare[: max(0, len(spare) - keep)]
        for digest in gone:
            aside = self._releases / f"{digest}.partial"
            (self._releases / digest).rename(aside)  # a half-removed release is no release
        self.sweep()
        return gone

    def sweep(self) -> None:
        """Remove what was left half-written or half-removed."""
        for leftover in self._releases.glob("*.partial"):
            shutil.rmtree(leftover, ignore_errors=True)

    # ------------------------------------------------------------------- inside

    def _prepare(self) -> None:
        with _disk(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            if self._releases.is_symlink():
                raise StorageError("the folder of the releases is a link", where=str(self._releases))
            self._releases.mkdir(exist_ok=True)

    def _open(self, digest: str) -> Base:
        if not DIGEST.fullmatch(digest) or not (self._releases / digest).is_dir():
            raise NotFoundError(f"there is no release {digest[:12]}", where=str(self._releases))
        return open_base(self._releases / digest)

    def _fill(
        self, partial: Path, before: Base, after: Mapping[str, str], contents: Mapping[str, bytes | None]
    ) -> None:
        tree = partial / "tree"
        for path in after:
            target = tree / path
            target.parent.mkdir(parents=True, exist_ok=True)
            old = before.tree / path
            content = contents.get(path)
            mode = old.stat().st_mode & 0o777 if path in before.hashes else 0o644
            put_file(target, old.read_bytes() if content is None else content, mode)
        told = {"schema": 1, "commit": "", "hashes": dict(after)}
        put_file(partial / "base.json", json.dumps(told, indent=0, sort_keys=True).encode(), 0o644)
        _sync_tree(partial)


def check_allowed(target: LiveTarget, changes: Changes) -> None:
    """Raises DeniedError for a path outside what the target allows, ConfigError for a change that is too large."""
    size = sum(len(_bytes(content) or b"") for content in changes.values())
    if not changes or len(changes) > MOST_CHANGES or size > MOST_BYTES:
        raise ConfigError(
            f"a deployment changes 1 to {MOST_CHANGES} files, of at most {MOST_BYTES // 2**20} MB together",
            where=target.service,
        )
    refused = [path for path in changes if not _allowed(path, target.allowed)]
    if refused:
        raise DeniedError(
            f"not among the files that may change: {', '.join(map(ascii, refused[:8]))}",
            where=target.service,
            hint=f"allowed: {', '.join(target.allowed)}",
        )


def _allowed(path: str, patterns: Iterable[str]) -> bool:
    parts = path.split("/")
    if not lies_below(path) or any(part in ("", ".") for part in parts) or not path.isprintable():
        return False
    return any(_matches(parts, pattern.split("/")) for pattern in patterns)


def _matches(parts: list[str], pattern: list[str]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_matches(parts[skip:], pattern[1:]) for skip in range(len(parts) + 1))
    return bool(parts) and fnmatch.fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


def _after(before: Base, contents: Mapping[str, bytes | None]) -> dict[str, str]:
    """SHA-256 by path once the changes are made.  Raises DeploymentError where a file would have to be a folder too."""
    after = {path: known for path, known in before.hashes.items() if contents.get(path, b"") is not None}
    after |= {path: hashlib.sha256(content).hexdigest() for path, content in contents.items() if content is not None}
    for path in after:
        parents = [str(parent) for parent in Path(path).parents]
        if any(parent in after for parent in parents):
            raise DeploymentError(f"{path} would lie in a file", where=str(before.tree))
    return after


def _bytes(content: str | bytes | None) -> bytes | None:
    return content.encode() if isinstance(content, str) else content


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    """What the operating system refuses becomes a StorageError."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"cannot write the release: {error.strerror or error}",
            where=error.filename or str(folder),
            hint="is the disk full? what is live was left as it is",
        ) from error


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_tree(folder: Path) -> None:
    for place, _, files in os.walk(folder):
        for name in files:
            descriptor = os.open(Path(place) / name, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        _sync(Path(place))
