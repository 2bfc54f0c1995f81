"""An optional check by a program that nobody here wrote: Prism stands between us and the stand-in, as a proxy, and
refuses every request and every answer that GitHub's own description does not allow.

    npm install @octokit/openapi@23.0.2 @stoplight/prism-cli@5.14.2
    python -m tests.github_server.conformance node_modules

The description is the whole one.  It is amended in one place: Prism takes a parameter for one segment of a path, and
the name of a branch has several.  Exit 0 when every request passed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from agents.pull_requests import PROrchestrator
from core.errors import RatchetError
from runtime.github.patience import Patience
from tests.github_server.repository import Repository
from tests.github_server.server import TOKEN, GitHubServer

REF = "/repos/{owner}/{repo}/git/ref/"
START_S = 120.0


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("node_modules", type=Path, metavar="NODE_MODULES")
    modules = arguments.parse_args().node_modules.absolute()
    repository = Repository("octo/demo", {"a.py": b"a = 1\n", "b.py": b"b = 1\n", "run.sh": ("100755", b"echo 1\n")})
    with tempfile.TemporaryDirectory() as folder, GitHubServer(repository) as server:
        description = Path(folder) / "description.json"
        whole = json.loads((modules / "@octokit/openapi/generated/api.github.com.json").read_text())
        description.write_text(json.dumps(amended(whole)))
        port = free_port()
        log = Path(folder) / "prism.log"
        with log.open("w") as output:
            command = [str(modules / ".bin/prism"), "proxy", str(description), server.url, "--errors"]
            command += ["--host", "127.0.0.1", "--port", str(port)]
            prism = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
            try:
                wait_for(port, prism)
                told = asyncio.run(opened(f"http://127.0.0.1:{port}"))
            finally:
                prism.terminate()
                prism.wait(20)
        said = log.read_text(errors="replace")
        violations = [line for line in said.splitlines() if "iolation" in line]
        print(f"{len(server.asked)} requests went through Prism, {len(violations)} violations")
        print("\n".join([*told, *violations[:20]]))
        return 0 if not violations and all(not line.startswith("error") for line in told) else 1


async def opened(url: str) -> list[str]:
    """A proposal of every type of change, opened, opened again, and one that is refused."""
    environment = {"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": url}
    made = PROrchestrator("octo", "demo", environment=environment, patience=Patience(tries=1))
    changes: list[dict[str, Any]] = [
        {"file_path": "a.py", "original_content": "a = 1\n", "new_content": "a = 2\n", "change_type": "update"},
        {"file_path": "b.py", "change_type": "delete"},
        {"file_path": "run.sh", "new_content": "echo 2\n", "change_type": "update"},
        {"file_path": "c/d.bin", "new_content": b"\x00\xff", "change_type": "create"},
    ]
    proposal = made.generate_proposal(changes, "Change four files", "Through Prism.")
    told = []
    for _ in range(2):
        try:
            answer = await made.create_github_pr(proposal, labels=["ratchet"], draft=True)
            told.append(f"{answer['status']} pull request {answer['pr_number']}")
        except RatchetError as error:
            told.append(f"error: {error}")
    return told


def amended(description: Any) -> Any:
    """With the names of branches of one and of two segments."""
    described = description["paths"][f"{REF}{{ref}}"]
    for name in ("heads/{ref}", "heads/{first}/{ref}"):
        there = json.loads(json.dumps(described))
        if "{first}" in name:
            first = {"name": "first", "in": "path", "required": True, "schema": {"type": "string"}}
            there["get"]["parameters"].append(first)
        description["paths"][REF + name] = there
    return description


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise SystemExit(f"Prism did not start in {START_S:g} s")


if __name__ == "__main__":
    sys.exit(main())
