"""A stand-in for GitHub over real HTTP on loopback, with a memory, and faults at any request.

It answers as GitHub describes itself: every request and every answer is checked against that description, and what
does not fit is kept in `faults_found`.
"""

from __future__ import annotations

import base64
import binascii
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from tests.github_server import description
from tests.github_server.repository import Pull, Refusal, Repository

__all__ = ["Fault", "GitHubServer", "Kind"]

Kind = Literal[
    "cut_before", "cut_after", "half", "500", "502_after", "503_wait", "rate_limit", "secondary", "429", "403", "409",
    "422", "slow_before", "slow_after", "huge", "not_json", "compressed", "redirect",
]  # fmt: skip
"""`before` and `after` its effect; the others without a word are before, but for half, huge and not_json."""
AFTER = ("cut_after", "half", "502_after", "slow_after", "huge", "not_json")
TEMPLATE = "/repos/{owner}/{repo}"
TOKEN = "ghs_" + "T0ken" * 8  # made up


@dataclass
class Fault:
    """At request number `at` (from 1, counted from when it is set), and at `times` in a row."""

    kind: Kind
    at: int
    times: int = 1


@dataclass
class Asked:
    method: str
    path: str
    query: str
    body: Any
    headers: dict[str, str]


@dataclass
class GitHubServer:
    repository: Repository
    prefix: str = ""
    elsewhere: str = "http://127.0.0.1:9"
    slow_s: float = 1.0
    huge_bytes: int = 17 * 1024 * 1024
    truncates: bool = False
    hidden_looks: int = 0
    """How often a list leaves out every pull request: GitHub's replicas lag."""
    token: str = TOKEN
    asked: list[Asked] = field(default_factory=list)
    faults_found: list[str] = field(default_factory=list)
    on_request: Callable[[int], None] = lambda number: None

    def __post_init__(self) -> None:
        self._fault: Fault | None = None
        self._count = 0
        self._lock = threading.RLock()
        server = self

        class Talk(_Talk):
            stand_in = server

        class Listening(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that went away is no error."""

        self._http = Listening(("127.0.0.1", 0), Talk)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}{self.prefix}"

    def __enter__(self) -> GitHubServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(5)

    def fail(self, fault: Fault | None) -> None:
        with self._lock:
            self._fault, self._count = fault, 0
            self.asked.clear()

    def due(self) -> Kind | None:
        with self._lock:
            self._count += 1
            fault = self._fault
            hit = fault is not None and fault.at <= self._count < fault.at + fault.times
            number = self._count
        self.on_request(number)
        return fault.kind if fault is not None and hit else None

    # ----------------------------------------------------------------- answers

    def answer(self, asked: Asked) -> tuple[int, Any]:
        with self._lock:
            path = asked.path
            told = description.faults_of_request(asked.method, path, asked.query, asked.body)
            try:
                if asked.headers.get("authorization") != f"Bearer {self.token}":
                    return 401, {"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest"}
                status, body = self._answered(asked)
            except Refusal as refusal:
                status = refusal.status
                body = {"message": refusal.message, "documentation_url": "https://docs.github.com/rest"}
                if refusal.errors:
                    body["errors"] = refusal.errors  # type: ignore[assignment]
            told += description.faults_of_answer(asked.method, path, status, body)
            self.faults_found += [f"{asked.method} {path} {status}: {one}" for one in told]
            return status, body

    def _answered(self, asked: Asked) -> tuple[int, Any]:
        repo = self.repository
        parts = asked.path.split("/")
        if "/".join(parts[2:4]).lower() != repo.full_name.lower():
            raise Refusal(404, "Not Found")
        rest = "/".join(parts[4:])
        query = {name: values[-1] for name, values in parse_qs(asked.query).items()}
        match asked.method, rest.split("/"):
            case "GET", [""]:
                return 200, self._repo()
            case "GET", ["git", "ref", "heads", *branch]:
                return 200, self._ref("/".join(branch))
            case "GET", ["git", "commits", sha] if sha in repo.commits:
                return 200, self._commit(sha)
            case "GET", ["git", "trees", sha] if sha in repo.trees:
                return 200, self._tree(sha, "recursive" in query)
            case "GET", ["pulls"]:
                return 200, self._pulls(query)
            case "POST", ["git", "blobs"]:
                return 201, self._blob(asked.body)
            case "POST", ["git", "trees"]:
                return 201, self._tree(repo.new_tree(asked.body["base_tree"], asked.body["tree"]), False)
            case "POST", ["git", "commits"]:
                return 201, self._commit(repo.new_commit(asked.body))
            case "POST", ["git", "refs"]:
                repo.new_ref(asked.body["ref"], asked.body["sha"])
                return 201, self._ref(asked.body["ref"].removeprefix("refs/heads/"))
            case "POST", ["pulls"]:
                return 201, self._pull(repo.new_pull(asked.body), "post")
            case "POST", ["issues", number, "labels"] if int(number) <= len(repo.pulls):
                pull = repo.pulls[int(number) - 1]
                pull.labels += [name for name in asked.body["labels"] if name not in pull.labels]
                return 200, [self._label(name) for name in pull.labels]
        raise Refusal(404, "Not Found")

    def _link(self, *steps: object) -> str:
        return "/".join([f"{self.url}/repos/{self.repository.full_name}", *map(str, steps)])

    def _repo(self) -> Any:
        owner, _, name = self.repository.full_name.partition("/")
        told = description.example(TEMPLATE, "get", "200")
        told |= {
            "name": name,
            "full_name": self.repository.full_name,
            "default_branch": self.repository.default_branch,
            "archived": self.repository.archived,
            "language": "Python",
        }
        told["owner"]["login"] = owner
        return told

    def _ref(self, branch: str) -> Any:
        if branch not in self.repository.refs:
            raise Refusal(404, "Not Found")
        sha = self.repository.refs[branch]
        target = {"type": "commit", "sha": sha, "url": self._link("git/commits", sha)}
        url = self._link("git/refs/heads", branch)
        return {"ref": f"refs/heads/{branch}", "node_id": "MDM6UmVm", "url": url, "object": target}

    def _commit(self, sha: str) -> Any:
        commit = self.repository.commits[sha]
        url = self._link("git/commits", sha)
        links = [
            {"sha": p, "url": self._link("git/commits", p), "html_url": self._link("commit", p)} for p in commit.parents
        ]
        unsigned = {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}
        return {
            "sha": sha,
            "node_id": "MDY6Q29tbWl0",
            "url": url,
            "html_url": self._link("commit", sha),
            "author": commit.author,
            "committer": commit.committer,
            "tree": {"sha": commit.tree, "url": self._link("git/trees", commit.tree)},
            "message": commit.message.rstrip("\n"),
            "parents": links,
            "verification": unsigned,
        }

    def _tree(self, sha: str, recursive: bool) -> Any:
        listed = self.repository.listed(sha)
        cut = recursive and self.truncates
        entries = [
            {"path": path, "mode": mode, "type": kind, "sha": name, "url": self._link("git", f"{kind}s", name)}
            for path, mode, kind, name in listed[: 1 if cut else None]
            if recursive or "/" not in path
        ]
        return {"sha": sha, "url": self._link("git/trees", sha), "tree": entries, "truncated": cut}

    def _blob(self, body: Any) -> Any:
        try:
            data = base64.b64decode(body["content"], validate=True)
        except binascii.Error:
            raise Refusal(422, "content is not valid Base64") from None
        sha = self.repository.add_blob(data)
        return {"sha": sha, "url": self._link("git/blobs", sha)}

    def _pulls(self, query: dict[str, str]) -> Any:
        if self.hidden_looks:
            self.hidden_looks -= 1
            return []
        owner, colon, branch = query.get("head", "").partition(":")
        mine = not colon or owner.lower() == self.repository.full_name.split("/")[0].lower()
        return [
            self._pull(pull, "get")
            for pull in reversed(self.repository.pulls)
            # a filter without an owner is none that GitHub understands: it answers everything
            if (not colon or (mine and pull.head == branch)) and query.get("state", "open") in ("all", pull.state)
        ]

    def _pull(self, pull: Pull, method: str) -> Any:
        told = description.example(f"{TEMPLATE}/pulls", method, "201" if method == "post" else "200")
        told = told[0] if method == "get" else told
        owner = self.repository.full_name.split("/")[0]
        told |= {
            "number": pull.number,
            "state": pull.state,
            "title": pull.title,
            "body": pull.body,
            "draft": pull.draft,
            "merged_at": pull.merged_at,
            "html_url": f"https://github.example/{self.repository.full_name}/pull/{pull.number}",
            "labels": [self._label(name) for name in pull.labels],
            "requested_teams": [],
        }
        for side, branch in (("head", pull.head), ("base", pull.base)):
            sha = self.repository.refs.get(branch, "0" * 40)
            told[side] |= {"ref": branch, "label": f"{owner}:{branch}", "sha": sha}
        return told

    def _label(self, name: str) -> Any:
        return {
            "id": 1,
            "node_id": "MDU6TGFiZWw=",
            "url": self._link("labels", name),
            "name": name,
            "description": "",
            "color": "ededed",
            "default": False,
        }


class _Talk(BaseHTTPRequestHandler):
    stand_in: GitHubServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: Any) -> None:
        """The output belongs to the tests."""

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def _handle(self) -> None:
        data = self.rfile.read(int(self.headers.get("content-length") or 0))
        parts = urlsplit(self.path)
        path = unquote(parts.path).removeprefix(self.stand_in.prefix)
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, path, parts.query, json.loads(data) if data else None, headers)
        self.stand_in.asked.append(asked)
        kind = self.stand_in.due()
        if kind is None:
            self._send(*self.stand_in.answer(asked))
        else:
            told = self.stand_in.answer(asked) if kind in AFTER else None
            self._go_wrong(kind, asked, told)

    def _go_wrong(self, kind: Kind, asked: Asked, told: tuple[int, Any] | None) -> None:
        message = {"message": "it went wrong", "documentation_url": "https://docs.github.com/rest"}
        limited = {**message, "message": "API rate limit exceeded for installation ID 7."}
        if kind in ("cut_before", "cut_after"):
            self.close_connection = True
        elif kind == "half":
            assert told is not None
            body = json.dumps(told[1]).encode()
            self._head(told[0], {"Content-Length": str(len(body))})
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        elif kind in ("500", "502_after"):
            self._send(int(kind[:3]), message)
        elif kind == "503_wait":
            self._send(503, message, {"Retry-After": "2"})
        elif kind == "rate_limit":
            now = int(time.time())
            reset = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(now + 7)}
            self._send(403, limited, reset)
        elif kind == "secondary":
            self._send(403, {**message, "message": "You have exceeded a secondary rate limit."}, {"Retry-After": "3"})
        elif kind == "429":
            self._send(429, limited, {"Retry-After": "4"})
        elif kind == "403":
            self._send(403, {**message, "message": "Resource not accessible by integration"})
        elif kind == "409":
            self._send(409, {**message, "message": "Conflict"})
        elif kind == "422":
            self._send(422, {**message, "message": "Validation Failed"})
        elif kind in ("slow_before", "slow_after"):
            time.sleep(self.stand_in.slow_s)
            self.close_connection = True
        elif kind == "huge":
            self._head(200, {"Content-Length": str(self.stand_in.huge_bytes)})
            block = b" " * 65_536
            for _ in range(self.stand_in.huge_bytes // len(block)):
                self.wfile.write(block)
        elif kind == "not_json":
            self._send_bytes(200, b"<html>Please sign in</html>", {"Content-Type": "text/html"})
        elif kind == "compressed":
            self._send_bytes(200, b"\x1f\x8b\x08\x00", {"Content-Encoding": "gzip"})
        elif kind == "redirect":
            self._send(307, message, {"Location": f"{self.stand_in.elsewhere}{asked.path}"})

    def _send(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        kind = {"Content-Type": "application/json; charset=utf-8"}
        self._send_bytes(status, json.dumps(body).encode(), {**kind, **(headers or {})})

    def _send_bytes(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self._head(status, {**headers, "Content-Length": str(len(data))})
        self.wfile.write(data)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
