"""Whether the files of a draft may be written at all, and parse."""

from __future__ import annotations

import fnmatch
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from core.drafts import CheckFault
from core.records import lies_below

__all__ = ["file_faults", "syntax_faults"]

MOST_CHARACTERS = 1_000_000


def file_faults(
    files: Mapping[str, str], root: Path, allowed: Callable[[str], bool], tests: Sequence[str]
) -> list[CheckFault]:
    """Paths that leave the service, are not allowed, are no Python, belong to its tests, or change nothing."""
    return [
        CheckFault(check="files", path=path[:300], text=why)
        for path, text in files.items()
        for why in _faults(path, text, root, allowed, tests)
    ]


def _faults(path: str, text: str, root: Path, allowed: Callable[[str], bool], tests: Sequence[str]) -> list[str]:
    if not path.isprintable() or not lies_below(path) or str(Path(path)) != path:
        return ["the path leads out of the service, or is not in its normal form"]
    found = []
    if not allowed(path):
        found.append("this file may not be changed")
    if not path.endswith(".py"):
        found.append("only Python is changed")
    if any(fnmatch.fnmatchcase(path, pattern) for pattern in tests):
        found.append("it belongs to the tests, and they judge the draft")
    place = root / path
    if not place.resolve().is_relative_to(root.resolve()) or place.is_symlink() or place.is_dir():
        found.append("a link or a folder stands there")
    elif place.is_file() and place.read_bytes() == text.encode("utf-8", "replace"):
        found.append("nothing is changed")
    if len(text) > MOST_CHARACTERS:
        found.append(f"it has {len(text):,} characters, more than {MOST_CHARACTERS:,}")
    return found


def syntax_faults(files: Mapping[str, str]) -> list[CheckFault]:
    """Files that this Python does not compile.  Nothing of them is run."""
    found = []
    for path, text in files.items():
        try:
            with warnings.catch_warnings(action="ignore"):
                compile(text, path, "exec", dont_inherit=True)
        except SyntaxError as error:
            found.append(CheckFault(check="syntax", path=path, line=error.lineno or 0, text=error.msg or "invalid"))
        except (ValueError, RecursionError, MemoryError) as error:
            found.append(CheckFault(check="syntax", path=path, text=str(error) or type(error).__name__))
    return found
