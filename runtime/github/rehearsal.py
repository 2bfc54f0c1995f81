"""A dry run: the very code that opens a pull request, before a GitHub that writes down what it is sent.

Nothing leaves this process.  What only GitHub knows stands in angle brackets, such as `<base commit>`; everything else
is what would be sent, to the byte.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from core.pull_requests import PRProposal, git_blob_id
from runtime.github.address import Repository
from runtime.github.opening import Wishes, open_pull_request

__all__ = ["Request", "rehearsed"]


@dataclass(frozen=True)
class Request:
    """As it would be sent; `path` with its query, below the base URL."""

    method: str
    path: str
    body: dict[str, Any] | None = None

    def as_sent(self) -> dict[str, Any]:
        return {"method": self.method, "path": self.path, "body": self.body}


async def rehearsed(repository: Repository, proposal: PRProposal, wishes: Wishes) -> list[Request]:
    """The requests that a first call sends, in order, where nothing fails and the base is what it is taken for."""
    stage = _Stage(repository, proposal)
    await open_pull_request(stage, repository, proposal, wishes)
    return [stage.shown(request) for request in stage.sent]


def _stands_for(what: str) -> str:
    return hashlib.sha1(f"ratchet rehearsal: {what}".encode(), usedforsecurity=False).hexdigest()


DEFAULT_BRANCH = _stands_for("default branch")
BASE_COMMIT, BASE_TREE = _stands_for("base commit"), _stands_for("base tree")
TREE, COMMIT = _stands_for("tree"), _stands_for("commit")
NUMBER = int(_stands_for("number")[:12], 16)
UNKNOWN = {
    DEFAULT_BRANCH: "<default branch>",
    BASE_COMMIT: "<base commit>",
    BASE_TREE: "<base tree>",
    TREE: "<tree>",
    COMMIT: "<commit>",
    str(NUMBER): "<number>",
}
MODE = "<its mode in the base>"


class _Stage:
    """Answers as a repository that has what the proposal changes, and nothing of the proposal yet."""

    def __init__(self, repository: Repository, proposal: PRProposal) -> None:
        self._repository, self._proposal = repository, proposal
        self._there = {c.file_path: c for c in proposal.changes if c.change_type != "create"}
        self.sent: list[Request] = []

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        self.sent.append(Request("GET", f"{path}?{urlencode(query)}" if query else path))
        resource = path.removeprefix(self._repository.path()).strip("/")
        if not resource:
            return {"full_name": str(self._repository), "default_branch": DEFAULT_BRANCH}
        if resource == "pulls":
            return []
        if resource == f"git/ref/heads/{self._proposal.branch_name}":
            return None
        if resource.startswith("git/ref/"):
            return {"ref": "", "object": {"sha": BASE_COMMIT}}
        if resource.startswith("git/commits/"):
            return {"sha": BASE_COMMIT, "tree": {"sha": BASE_TREE}, "message": "", "parents": []}
        entries = [
            {"path": path, "mode": "100644", "type": "blob", "sha": git_blob_id(change.original_content or "")}
            for path, change in self._there.items()
        ]
        return {"sha": BASE_TREE, "tree": entries}

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        self.sent.append(Request("POST", path, dict(body)))
        resource = path.removeprefix(self._repository.path()).strip("/")
        if resource == "git/blobs":
            return {"sha": git_blob_id(base64.b64decode(body["content"]))}
        if resource == "git/refs":
            return {"ref": body["ref"], "object": {"sha": body["sha"]}}
        if resource == "pulls":
            return {"number": NUMBER, "html_url": "", "state": "open", "head": {"ref": body["head"]}}
        return {"sha": TREE if resource == "git/trees" else COMMIT}

    def shown(self, request: Request) -> Request:
        """With what only GitHub knows in angle brackets."""
        body = request.body
        if body is not None and request.path.endswith("/git/trees"):
            body = {**body, "tree": [e | ({"mode": MODE} if e["path"] in self._there else {}) for e in body["tree"]]}
        path, text = request.path, json.dumps(body)
        for stand_in, name in UNKNOWN.items():
            path, text = path.replace(stand_in, name), text.replace(stand_in, name)
        return Request(request.method, path, json.loads(text))
