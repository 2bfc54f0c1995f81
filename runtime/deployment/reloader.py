"""New code in a running Python service, without a failed request.  This one file needs nothing but Python 3.11.

It may be imported from here, or copied into the service.  The service keeps its web framework and its sockets; what is
renewed is one module, or package, of the live release and everything of that release that it imports:

    live = Reloader(folder, "pricing").start()      # FOLDER/current → releases/<digest>/tree, with pricing.py in it

    with live.version(tenant=tenant, key=request_id) as pricing:
        return pricing.quote(basket)

A new release is loaded beside the old one under names of its own, its files compared with their hashes, its function
`healthy()` called where it has one.  Only then do new requests get it, by one assignment; those in flight finish on the
old code.  One that does not load, or is not healthy, serves nobody, and `status()` says why.

The module knows its release: `pricing.__release__` is the digest, to be told with a request's telemetry.

Not renewed: what is not in the release, and objects of the old code that the service keeps (open connections, caches).
`importlib.import_module("name")` inside a release does not see the release; `import name` does.
"""

from __future__ import annotations

import builtins
import contextlib
import hashlib
import hmac
import importlib
import importlib.abc
import importlib.machinery
import itertools
import json
import os
import secrets
import sys
import threading
import types
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

__all__ = ["ReloadError", "Reloader"]

MOST_FILE_BYTES = 20 * 1024 * 1024


class ReloadError(Exception):
    """The release cannot serve."""


class Version:
    """One loaded release: `module` is its entry; the numbers are of the requests that it got."""

    def __init__(self, digest: str, module: types.ModuleType, root: str) -> None:
        self.digest, self.module, self.root = digest, module, root
        self.calls = self.errors = self.in_flight = 0


class Serving:
    """Who gets which version.  Never changed, only replaced."""

    def __init__(
        self,
        stable: Version,
        tenants: Mapping[str, Version] | None = None,
        canary: Version | None = None,
        share: float = 0.0,
        canary_tenants: Sequence[str] | None = None,
    ) -> None:
        self.stable, self.tenants = stable, dict(tenants or {})
        self.canary, self.share, self.canary_tenants = canary, share, canary_tenants

    def pick(self, tenant: str, toss: float) -> Version:
        meant = self.canary_tenants is None or tenant in self.canary_tenants
        if self.canary is not None and meant and toss < self.share:
            return self.canary
        return self.tenants.get(tenant, self.stable)

    def versions(self) -> set[Version]:
        return {self.stable, *self.tenants.values(), *([self.canary] if self.canary else [])}


class Reloader:
    """The live code of `folder`, of which requests use the module `entry`.

    `load_timeout_s` bounds the loading and the `healthy()` of a new release.
    """

    def __init__(self, folder: str | Path, entry: str, *, load_timeout_s: float = 20.0) -> None:
        self._folder = Path(folder).absolute()
        self._entry = entry
        self._load_timeout_s = load_timeout_s
        self._serving: Serving | None = None
        self._loaded: dict[str, Version] = {}
        self._refused: dict[str, str] = {}
        self._lock = threading.Lock()  # of the numbers and of what serves; held for microseconds
        self._reloading = threading.Lock()
        self._tosses = itertools.count()
        self._ended = threading.Event()
        self._control: _Control | None = None
        self._seen: object = None

    def start(self, *, poll_s: float = 0.5, control: bool = True) -> Reloader:
        """Load the live release; then look for another every `poll_s` (0: never), and listen on loopback for `reload`.

        Raises ReloadError when the live release does not load.
        """
        self.reload()
        if self._serving is None:
            raise ReloadError("; ".join(self._refused.values()) or "there is no release")
        if control:
            self._control = _Control(self, self._folder / "control")
        if poll_s > 0:
            threading.Thread(target=self._poll, args=(poll_s,), name="reloader", daemon=True).start()
        return self

    def close(self) -> None:
        self._ended.set()
        if self._control is not None:
            self._control.close()

    @contextlib.contextmanager
    def version(self, *, tenant: str = "default", key: str | None = None) -> Iterator[Any]:
        """The module that this request uses, to its end.  The same `key` gets the same version of a canary."""
        if key is None:  # evenly spread, without a random number: every tenth at 0.1
            toss = next(self._tosses) * 0.6180339887498949 % 1
        else:
            toss = int.from_bytes(hashlib.sha256(key.encode()).digest()[:7], "big") / 2**56
        with self._lock:
            serving = self._serving
            if serving is None:
                raise ReloadError("the reloader was not started")
            version = serving.pick(tenant, toss)
            version.calls += 1
            version.in_flight += 1
        try:
            yield version.module
        except BaseException:
            with self._lock:
                version.errors += 1
            raise
        finally:
            with self._lock:
                version.in_flight -= 1

    def reload(self) -> dict[str, Any]:
        """Serve what `current` and `routes.json` say now, as far as it loads; answers `status()`."""
        with self._reloading:
            self._refused = {}
            try:
                self._seen = self._look()
                stable, tenants, canary = self._wanted()
            except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
                self._refused["routes"] = f"current or routes.json cannot be read: {error}"
                return self.status()
            before = self._serving
            first = self._version(stable) or (before.stable if before else None)
            if first is not None:
                kept = dict(before.tenants) if before else {}
                served = {name: self._version(digest) or kept.get(name, first) for name, digest in tenants.items()}
                trial = self._version(canary[0]) if canary else None
                self._swap(Serving(first, served, trial, *(canary[1:] if canary else (0.0, None))))
        return self.status()

    def status(self) -> dict[str, Any]:
        """What serves: digests by role, why releases were refused, and the requests of each version."""
        with self._lock:
            serving = self._serving
            return {
                "pid": os.getpid(),
                "stable": serving.stable.digest if serving else "",
                "tenants": {name: version.digest for name, version in serving.tenants.items()} if serving else {},
                "canary": serving.canary.digest if serving and serving.canary else "",
                "share": serving.share if serving else 0.0,
                "refused": dict(self._refused),
                "versions": {
                    version.digest: {"calls": version.calls, "errors": version.errors, "in_flight": version.in_flight}
                    for version in self._loaded.values()
                },
            }

    # -------------------------------------------------------------- what is live

    def _look(self) -> object:
        """Something that is another when `current` or `routes.json` is."""
        try:
            found = (self._folder / "routes.json").stat()
            routes = (found.st_mtime_ns, found.st_ino, found.st_size)
        except FileNotFoundError:
            routes = (0, 0, 0)
        return os.readlink(self._folder / "current"), routes  # noqa: PTH115

    def _wanted(self) -> tuple[str, dict[str, str], tuple[str, float, list[str] | None] | None]:
        """The digests of the live release and of the tenants; digest, share and tenants of the canary."""
        stable = Path(os.readlink(self._folder / "current")).parts[1]  # noqa: PTH115
        try:
            told = json.loads((self._folder / "routes.json").read_text("utf-8"))
        except FileNotFoundError:
            return _digest(stable), {}, None
        tenants = {str(name): _digest(digest) for name, digest in (told.get("tenants") or {}).items()}
        canary = told.get("canary")
        if not canary:
            return _digest(stable), tenants, None
        some = canary.get("tenants")
        share = float(canary["share"])
        if not 0 <= share <= 1:
            raise ValueError(f"{share} is no share")
        return _digest(stable), tenants, (_digest(canary["digest"]), share, None if some is None else list(some))

    def _swap(self, serving: Serving) -> None:
        with self._lock:
            self._serving = serving
            idle = [v for v in self._loaded.values() if v not in serving.versions() and v.in_flight == 0]
            for version in idle:
                del self._loaded[version.digest]
        for version in idle:
            _forget(version.root)

    def _poll(self, poll_s: float) -> None:
        while not self._ended.wait(poll_s):
            try:
                changed = self._look() != self._seen
            except OSError:
                continue
            if changed:
                self.reload()

    # ------------------------------------------------------------------- loading

    def _version(self, digest: str) -> Version | None:
        """The loaded release; None when it cannot serve, and then `_refused` says why."""
        if digest in self._loaded:
            return self._loaded[digest]
        root = f"_live_{digest[:16]}_{secrets.token_hex(2)}"
        answer: list[types.ModuleType | str] = []
        thread = threading.Thread(
            target=self._load, args=(digest, root, answer), name=f"load {digest[:8]}", daemon=True
        )
        thread.start()
        thread.join(self._load_timeout_s)
        found = answer[0] if answer else f"did not load within {self._load_timeout_s:g} s"
        if isinstance(found, str):
            self._refused[digest] = found
            _forget(root)
            return None
        version = self._loaded[digest] = Version(digest, found, root)
        return version

    def _load(self, digest: str, root: str, answer: list[types.ModuleType | str]) -> None:
        try:
            release = self._folder / "releases" / digest
            hashes = json.loads((release / "base.json").read_text("utf-8"))["hashes"]
            _FINDER.add(root, _Release(root, release / "tree", hashes))
            module = importlib.import_module(f"{root}.{self._entry}")
            healthy = getattr(module, "healthy", None)
            if callable(healthy) and healthy() is False:
                raise ReloadError("healthy() says no")
            module.__dict__["__release__"] = digest
            answer.append(module)
        except BaseException as error:  # noqa: BLE001  # whatever new code does at its import, the old one serves on
            answer.append(f"{type(error).__name__}: {error}"[:500])


def _digest(text: str) -> str:
    if len(text) != 64 or not set(text) <= set("0123456789abcdef"):
        raise ValueError(f"{text[:80]!r} is no digest")
    return text


# ----------------------------------------------------------------- one release as modules


class _Release:
    """The modules of one release, which live under the package `root`; its own imports find its own files."""

    def __init__(self, root: str, tree: Path, hashes: Mapping[str, str]) -> None:
        self.tree = tree
        self._root = root
        self._hashes = hashes
        tops = {path.split("/")[0] for path in hashes}
        self._tops = {top.removesuffix(".py") for top in tops if top.endswith(".py") or "." not in top}
        self.builtins = {**vars(builtins), "__import__": self._import}

    def _import(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,  # noqa: A002
        locals: Mapping[str, object] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> types.ModuleType:
        top = name.partition(".")[0]
        if level or top not in self._tops:
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        inside = f"{self._root}.{name}"
        if fromlist:
            return builtins.__import__(inside, globals, locals, fromlist, 0)
        importlib.import_module(inside)
        return sys.modules[f"{self._root}.{top}"]

    def source(self, path: str) -> bytes:
        relative = Path(path).relative_to(self.tree).as_posix()
        with Path(path).open("rb") as file:
            content = file.read(MOST_FILE_BYTES)
        if hashlib.sha256(content).hexdigest() != self._hashes.get(relative):
            raise ImportError(f"{relative} is not what was released")
        return content


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, fullname: str, path: str, release: _Release) -> None:
        super().__init__(fullname, path)
        self._release = release

    def get_code(self, fullname: str) -> types.CodeType:  # noqa: ARG002
        """From the source, whatever lies in `__pycache__`."""
        code: types.CodeType = self.source_to_code(self._release.source(self.path), self.path)
        return code

    def exec_module(self, module: types.ModuleType) -> None:
        code = self.get_code(module.__name__)
        module.__dict__["__builtins__"] = self._release.builtins
        exec(code, module.__dict__)  # noqa: S102  # as every import does


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self) -> None:
        self._releases: dict[str, _Release] = {}

    def add(self, root: str, release: _Release) -> None:
        package = types.ModuleType(root)
        package.__path__ = [str(release.tree)]
        self._releases[root] = release
        sys.modules[root] = package
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def remove(self, root: str) -> None:
        self._releases.pop(root, None)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        release = self._releases.get(fullname.partition(".")[0])
        if release is None:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = _Loader(fullname, spec.loader.path, release)
            spec.cached = None
        return spec


_FINDER = _Finder()


def _forget(root: str) -> None:
    _FINDER.remove(root)
    for name in [name for name in sys.modules if name == root or name.startswith(f"{root}.")]:
        sys.modules.pop(name, None)


# ------------------------------------------------------------------------ the loopback door


class _Control:
    """`POST /reload` and `GET /status` on loopback, for whoever can read the token in `FOLDER/control/<pid>.json`."""

    def __init__(self, reloader: Reloader, folder: Path) -> None:
        token = secrets.token_urlsafe(24)

        class Door(BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self) -> None:
                self._answer("/status", reloader.status)

            def do_POST(self) -> None:
                self._answer("/reload", reloader.reload)

            def _answer(self, path: str, act: Any) -> None:
                given = self.headers.get("Authorization", "").encode()
                if not hmac.compare_digest(given, f"Bearer {token}".encode()):
                    status, body = 401, b"{}"
                elif self.path != path:
                    status, body = 404, b"{}"
                else:
                    status, body = 200, json.dumps(act()).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="reloader door", daemon=True).start()
        folder.mkdir(mode=0o700, exist_ok=True)
        self._file = folder / f"{os.getpid()}.json"
        told = {
            "pid": os.getpid(),
            "start_time": _start_time(),
            "url": f"http://127.0.0.1:{self._server.server_port}",
            "token": token,
        }
        beside = folder / f".{os.getpid()}.new"
        beside.unlink(missing_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(told, file)
        beside.replace(self._file)

    def close(self) -> None:
        self._file.unlink(missing_ok=True)
        self._server.shutdown()
        self._server.server_close()


def _start_time() -> int:
    """Clock ticks since boot at which this process began; 0 where there is no /proc."""
    try:
        return int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    except OSError:
        return 0
