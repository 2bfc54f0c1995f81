"""Time to make a proposal of a pull request, and to open it at a server on loopback that answers at once.

    python benchmarks/pull_requests.py [--repeats 30]

A proposal holds `files` files of 200 lines each, of which 5 change, with evidence; making it renders the body, counts
lines and looks for secrets in everything.  The first one also loads the template engine.  Prints medians and the
slowest; opening counts the requests too.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from agents.pull_requests import PROrchestrator
from tests.github_server.repository import Repository
from tests.github_server.server import TOKEN, GitHubServer

EVIDENCE = {
    "tests": {"passed": 120},
    "benchmarks": [{"name": "sort", "before": 2.0, "after": 1.0, "unit": "s", "low": -55.0, "high": -45.0}],
    "votes": [{"proposal_id": "p", "voter": f"voter {n}", "score": 0.5, "reason": "far away"} for n in range(5)],
    "risk": {"score": 0.2, "level": "low"},
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--repeats", type=int, default=30)
    repeats = arguments.parse_args().repeats
    made = PROrchestrator("octo", "demo", environment={})
    begin = time.perf_counter()
    made.generate_proposal(changes(1), "Change", "Why.", evidence=EVIDENCE)
    print(f"the first proposal of a process   {1e3 * (time.perf_counter() - begin):8.1f} ms")
    for files in (1, 5, 20, 100):
        given = changes(files)
        took = [
            timed(lambda given=given: made.generate_proposal(given, "Change", "Why.", evidence=EVIDENCE))
            for _ in range(repeats)
        ]
        print(
            f"a proposal, {files:3} files of 200 lines {statistics.median(took):8.1f} ms   slowest {max(took):.1f} ms"
        )
    for files in (1, 20):
        told = [opened(files) for _ in range(max(3, repeats // 5))]
        took = [seconds * 1e3 for seconds, _ in told]
        print(
            f"opening it, {files:3} files ({told[0][1]} requests) {statistics.median(took):8.1f} ms"
            f"   slowest {max(took):.1f} ms"
        )


def changes(files: int) -> list[dict[str, Any]]:
    line = "    value_{n} = transform(source[{n}], weight={n}.5)  # the {n}th of them"
    before = [line.format(n=n) for n in range(200)]
    after = [f"{text} changed" if n % 40 == 0 else text for n, text in enumerate(before)]
    old, new = "\n".join(before) + "\n", "\n".join(after) + "\n"
    return [
        {
            "file_path": f"src/f{n}.py",
            "original_content": old,
            "new_content": new,
            "change_type": "update",
            "rationale": "x",
        }
        for n in range(files)
    ]


def timed(work: Any) -> float:
    begin = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - begin)


def opened(files: int) -> tuple[float, int]:
    given = changes(files)
    base: dict[str, Any] = {one["file_path"]: one["original_content"].encode() for one in given}
    with GitHubServer(Repository("octo/demo", base)) as server:
        made = PROrchestrator("octo", "demo", environment={"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": server.url})
        proposal = made.generate_proposal(given, "Change", "Why.", evidence=EVIDENCE)
        begin = time.perf_counter()
        asyncio.run(made.create_github_pr(proposal))
        return time.perf_counter() - begin, len(server.asked)


if __name__ == "__main__":
    main()
