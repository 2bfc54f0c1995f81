"""A repository as GitHub keeps it: objects named by their content as git names them, branches, and pull requests."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

__all__ = ["Commit", "Pull", "Refusal", "Repository"]

Files = dict[str, tuple[str, str]]
"""Path → (mode, name of the blob)."""


class Refusal(Exception):  # noqa: N818  # an answer of GitHub, not an error of the tests
    def __init__(self, status: int, message: str, errors: list[dict[str, str]] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.errors = status, message, errors or []


@dataclass
class Commit:
    tree: str
    parents: list[str]
    message: str
    author: dict[str, str]
    committer: dict[str, str]


@dataclass
class Pull:
    number: int
    title: str
    body: str
    head: str
    base: str
    draft: bool = False
    state: str = "open"
    merged_at: str | None = None
    labels: list[str] = field(default_factory=list)


def _name(kind: str, data: bytes) -> str:
    return hashlib.sha1(f"{kind} {len(data)}\0".encode() + data).hexdigest()


class Repository:
    """`files` are those of the first commit on `main`: path → content, or (mode, content)."""

    def __init__(self, full_name: str, files: dict[str, bytes | tuple[str, bytes]]) -> None:
        self.full_name = full_name
        self.default_branch = "main"
        self.archived = False
        self.blobs: dict[str, bytes] = {}
        self.trees: dict[str, dict[str, tuple[str, str, str]]] = {}
        self.commits: dict[str, Commit] = {}
        self.refs: dict[str, str] = {}
        self.pulls: list[Pull] = []
        self.push("main", files)

    def push(self, branch: str, files: dict[str, bytes | tuple[str, bytes] | None], message: str = "work") -> str:
        """A commit of somebody else on `branch`; None takes a file away."""
        parent = self.refs.get(branch)
        now = self.files(parent) if parent else {}
        for path, content in files.items():
            if content is None:
                now.pop(path)
                continue
            mode, data = content if isinstance(content, tuple) else ("100644", content)
            now[path] = (mode, self.add_blob(data))
        who = {"name": "Somebody", "email": "somebody@example.org", "date": "2026-01-02T03:04:05Z"}
        commit = self.add_commit(self.add_tree(now), [parent] if parent else [], message, who, who)
        self.refs[branch] = commit
        return commit

    def contents(self, branch: str) -> dict[str, tuple[str, bytes]]:
        return {path: (mode, self.blobs[sha]) for path, (mode, sha) in self.files(self.refs[branch]).items()}

    # ----------------------------------------------------------------- objects

    def add_blob(self, data: bytes) -> str:
        sha = _name("blob", data)
        self.blobs[sha] = data
        return sha

    def add_tree(self, files: Files) -> str:
        here: dict[str, tuple[str, str, str]] = {}
        below: dict[str, Files] = {}
        for path, (mode, sha) in files.items():
            first, _, rest = path.partition("/")
            if rest:
                below.setdefault(first, {})[rest] = (mode, sha)
            else:
                here[first] = (mode, "blob", sha)
        for name, inner in below.items():
            if name in here:
                raise Refusal(422, "tree.path contains a malformed path component")
            here[name] = ("040000", "tree", self.add_tree(inner))
        order = sorted(here, key=lambda name: name + "/" * (here[name][1] == "tree"))
        data = b"".join(f"{here[n][0].lstrip('0')} {n}\0".encode() + bytes.fromhex(here[n][2]) for n in order)
        sha = _name("tree", data)
        self.trees[sha] = {name: here[name] for name in order}
        return sha

    def add_commit(
        self, tree: str, parents: list[str], message: str, author: dict[str, str], committer: dict[str, str]
    ) -> str:
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
        for role, who in (("author", author), ("committer", committer)):
            seconds = int(datetime.fromisoformat(who["date"].replace("Z", "+00:00")).timestamp())
            lines.append(f"{role} {who['name']} <{who['email']}> {seconds} +0000")
        sha = _name("commit", ("\n".join(lines) + f"\n\n{message}").encode())
        self.commits[sha] = Commit(tree, parents, message, author, committer)
        return sha

    def files(self, commit: str) -> Files:
        return {path: (mode, sha) for path, mode, kind, sha in self.listed(self.commits[commit].tree) if kind == "blob"}

    def listed(self, tree: str, prefix: str = "") -> list[tuple[str, str, str, str]]:
        """(path, mode, kind, name) of everything below."""
        found = []
        for name, (mode, kind, sha) in self.trees[tree].items():
            found.append((f"{prefix}{name}", mode, kind, sha))
            if kind == "tree":
                found += self.listed(sha, f"{prefix}{name}/")
        return found

    # --------------------------------------------------- what the API can be asked

    def new_tree(self, base_tree: str, entries: list[dict[str, Any]]) -> str:
        if base_tree not in self.trees:
            raise Refusal(422, "base_tree is not a valid tree oid")
        now: Files = {p: (mode, sha) for p, mode, kind, sha in self.listed(base_tree) if kind == "blob"}
        for entry in entries:
            if entry["sha"] is None:
                if entry["path"] not in now:
                    raise Refusal(422, "GitRPC::BadObjectState")
                del now[entry["path"]]
            elif entry["sha"] not in self.blobs:
                raise Refusal(422, f"tree.sha {entry['sha']} is not a valid blob")
            else:
                now[entry["path"]] = (entry["mode"], entry["sha"])
        return self.add_tree(now)

    def new_commit(self, body: dict[str, Any]) -> str:
        if body["tree"] not in self.trees or any(parent not in self.commits for parent in body["parents"]):
            raise Refusal(422, "Tree SHA does not exist or Parent SHA does not exist or is not a commit object")
        return self.add_commit(body["tree"], body["parents"], body["message"], body["author"], body["committer"])

    def new_ref(self, ref: str, sha: str) -> None:
        branch = ref.removeprefix("refs/heads/")
        if not ref.startswith("refs/heads/") or sha not in self.commits:
            raise Refusal(422, "Object does not exist")
        if branch in self.refs:
            raise Refusal(422, "Reference already exists")
        self.refs[branch] = sha

    def new_pull(self, body: dict[str, Any]) -> Pull:
        fault = {"resource": "PullRequest", "code": "invalid"}
        for side in ("head", "base"):
            if body[side] not in self.refs:
                raise Refusal(422, "Validation Failed", [{**fault, "field": side}])
        if self.refs[body["head"]] == self.refs[body["base"]]:
            what = f"No commits between {body['base']} and {body['head']}"
            raise Refusal(422, "Validation Failed", [{"resource": "PullRequest", "code": "custom", "message": what}])
        if any(p.head == body["head"] and p.base == body["base"] and p.state == "open" for p in self.pulls):
            what = f"A pull request already exists for {self.full_name.split('/')[0]}:{body['head']}."
            raise Refusal(422, "Validation Failed", [{"resource": "PullRequest", "code": "custom", "message": what}])
        if len(body["title"]) > 256 or len(body["body"]) > 65_536:
            raise Refusal(422, "Validation Failed", [{**fault, "field": "body", "message": "body is too long"}])
        pull = Pull(
            len(self.pulls) + 1, body["title"], body["body"], body["head"], body["base"], body.get("draft", False)
        )
        self.pulls.append(pull)
        return pull
