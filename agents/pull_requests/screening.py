"""Nothing secret leaves: a proposal that holds a key, token or password is stopped, and told where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from core.errors import SecretFoundError
from core.pull_requests import CodeChange
from core.secrets import environment_secrets, find_secrets

__all__ = ["refuse_secrets"]

MOST_TOLD = 20


def refuse_secrets(changes: Sequence[CodeChange], texts: Mapping[str, str], environment: Mapping[str, str]) -> None:
    """Raises SecretFoundError with path and line when a new file, a path, a rationale or one of `texts` holds one.

    The values of this machine's own secrets, such as GITHUB_TOKEN, count whatever they look like.
    """
    known = environment_secrets(environment)
    places: list[str] = []
    for name, text in _read(changes, texts):
        places += [f"{name} {secret}" for secret in find_secrets(text, known)]
    if not places:
        return
    told = "; ".join(places[:MOST_TOLD]) + (f"; and {len(places) - MOST_TOLD} more" if len(places) > MOST_TOLD else "")
    raise SecretFoundError(
        f"a secret would leave this machine, so the proposal is stopped ({len(places)} found)",
        where=told,
        hint="take it out, and read it from the environment where it is needed; if it was ever shared, revoke it",
        places=tuple(places),
    )


def _read(changes: Iterable[CodeChange], texts: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    yield from texts.items()
    for number, change in enumerate(changes, 1):
        # a path that is a secret is not repeated
        name = change.file_path if not find_secrets(change.file_path) else f"the path of change {number}"
        content = change.new_content
        yield f"the path of change {number}", change.file_path
        yield f"the rationale of {name}", change.rationale
        yield name, content if isinstance(content, str) else content.decode(errors="replace")
