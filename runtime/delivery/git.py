"""One git command, with nothing of anybody's configuration run by it.

Options given on the command line win over the repository's own configuration: hooks, monitor and signing are off for
every command.  Filters need no option: only commands that apply none are used.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from core.errors import DeliveryError, UnavailableError
from core.scrub import scrubbed

__all__ = ["git", "last_line", "run_git", "text_of"]

SAFE = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.attributesFile": "/dev/null",
    "core.quotePath": "false",
    "core.splitIndex": "false",  # or the index of a moment leaves a part of itself in the repository
    "commit.gpgSign": "false",
    "push.gpgSign": "false",
    "push.recurseSubmodules": "no",
    "i18n.commitEncoding": "UTF-8",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "protocol.ext.allow": "never",
}
TIMEOUT_S = 60.0
OF_USER = (
    "HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_SSH_COMMAND", "GIT_ASKPASS", "SSH_AUTH_SOCK",
    "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy",
)  # fmt: skip
"""What reaching another machine needs, beside PATH: keys, credentials and the way out."""


def run_git(
    folder: Path,
    *words: str,
    stdin: bytes = b"",
    environment: Mapping[str, str] | None = None,
    reaching_out: bool = False,
    timeout_s: float = TIMEOUT_S,
) -> subprocess.CompletedProcess[bytes]:
    """What `git` did in `folder`, whatever its exit code.

    `reaching_out`: the user's own configuration counts, because credentials are found by it; the system's never does.
    Raises UnavailableError where there is no git, and when it does not end.
    """
    if shutil.which("git") is None:
        raise UnavailableError("there is no git here", hint="install git, or take the diff: --diff FILE")
    own = {"GIT_CONFIG_GLOBAL": os.devnull}
    if reaching_out:
        own = {name: os.environ[name] for name in OF_USER if name in os.environ}
    options = [word for name, value in SAFE.items() for word in ("-c", f"{name}={value}")]
    try:
        return subprocess.run(  # noqa: S603
            ["git", "--no-pager", *options, *words],  # noqa: S607
            cwd=folder,
            input=stdin,
            capture_output=True,
            timeout=timeout_s,
            start_new_session=True,  # no terminal, so that nothing waits for a password there
            check=False,
            env={
                **own,
                "PATH": os.environ.get("PATH", os.defpath),
                "TMPDIR": os.environ.get("TMPDIR", "/tmp"),  # noqa: S108
                "LC_ALL": "C",
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_ATTR_NOSYSTEM": "1",
                "GIT_OPTIONAL_LOCKS": "0",
                "GIT_TERMINAL_PROMPT": "0",
                "GIT_LITERAL_PATHSPECS": "1",
                "GIT_NO_REPLACE_OBJECTS": "1",
                "GIT_NO_LAZY_FETCH": "1",
                **(environment or {}),
            },
        )
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(
            f"git {words[0]} did not end within {timeout_s:g} s", where=str(folder), hint="try it by hand"
        ) from error


def git(folder: Path, *words: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None) -> bytes:
    """What a git command that must succeed prints.  Raises DeliveryError with git's own last line."""
    done = run_git(folder, *words, stdin=stdin, environment=environment)
    if done.returncode != 0:
        raise DeliveryError(f"git {words[0]} failed: {last_line(done)}", where=str(folder), hint="mend what git says")
    return done.stdout


def text_of(output: bytes) -> str:
    """One line that git printed, without its end; a path keeps every byte."""
    return output.removesuffix(b"\n").decode("utf-8", "surrogateescape")


def last_line(done: subprocess.CompletedProcess[bytes]) -> str:
    """Git's last words of an error, without passwords."""
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    told = [line for line in lines if line.startswith(("fatal:", "error:"))] or lines
    return scrubbed(told[-1][:300]) if told else f"exit code {done.returncode}"
