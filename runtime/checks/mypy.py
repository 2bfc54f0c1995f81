"""Types, by mypy: where functions are hinted, against the standard library and the service's own hints.

Installed packages count as untyped, and no configuration is read, so the answer depends on the service alone: a plugin
named there would be code that runs here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from core.drafts import CheckFault
from runtime.checks.tools import output_of

__all__ = ["ignored", "type_faults"]

OPTIONS = (
    "--config-file=", "--no-site-packages", "--ignore-missing-imports", "--follow-imports=silent",
    "--explicit-package-bases", "--namespace-packages", "--output=json", "--no-error-summary",
)  # fmt: skip
_IGNORE = re.compile(r"#\s*(?:type:\s*ignore|mypy:)")


def type_faults(tree: Path, paths: Sequence[str], *, cache: str, timeout_s: float) -> list[CheckFault]:
    """Errors of mypy in the files at `paths` below `tree`.  Raises UnavailableError, and ToolSilentError."""
    kept = [f"--cache-dir={cache}"] if cache else ["--cache-dir=/dev/null"]
    roots = ":".join(str(place) for place in (tree, tree / "src") if place.is_dir())
    said = output_of(
        "mypy", [*OPTIONS, *kept, "--", *paths], cwd=tree, timeout_s=timeout_s, codes=(0, 1, 2), path=roots
    )
    faults = []
    for line in said.splitlines():
        try:
            told = json.loads(line)
        except ValueError:
            told = {"severity": "error", "file": "", "line": 0, "message": line, "code": None}
        if told.get("severity") == "error" and (not told["file"] or told["file"] in paths):
            code = f" [{told['code']}]" if told.get("code") else ""
            text = f"{told['message']}{code}"
            faults.append(CheckFault(check="types", path=told["file"], line=max(0, told["line"]), text=text))
    return faults


def ignored(text: str) -> int:
    """How many comments keep mypy from looking."""
    return sum(1 for line in text.splitlines() if _IGNORE.search(line))
