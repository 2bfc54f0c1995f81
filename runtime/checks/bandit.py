"""Security, by bandit: findings of medium severity and above.  Its own marks to look away (`nosec`) are not obeyed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from core.drafts import CheckFault
from core.errors import UnavailableError
from runtime.checks.tools import output_of

__all__ = ["security_faults"]


def security_faults(tree: Path, paths: Sequence[str], *, timeout_s: float) -> list[CheckFault]:
    """What bandit finds in the files at `paths` below `tree`.  Raises UnavailableError, and ToolSilentError."""
    arguments = ["--format=json", "--quiet", "--ignore-nosec", "--severity-level=medium", "--", *paths]
    said = output_of("bandit", arguments, cwd=tree, timeout_s=timeout_s, codes=(0, 1))
    try:
        told = json.loads(said[said.index("{") :])
        faults = [
            CheckFault(
                check="security",
                path=one["filename"].removeprefix("./"),
                line=one["line_number"],
                text=f"{one['test_id']} {one['issue_severity'].lower()}: {one['issue_text']}",
            )
            for one in told["results"]
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise UnavailableError(f"bandit gives no answer that can be read: {error}") from error
    faults += [CheckFault(check="security", path=one["filename"], text=one["reason"]) for one in told["errors"]]
    return faults
