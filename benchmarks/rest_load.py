"""What `serve` holds: mixed reads at a fixed rate while a campaign runs, event streams, hostile bodies, and its stop.

    python benchmarks/rest_load.py [--rate 200] [--seconds 20] [--streams 50]

Requests leave at their time whether earlier ones have been answered or not; a latency counts from that time, so that a
stall of the server shows in all that wait.  Server, campaign, jobs and this client share the machine's cores.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TOKEN = "a-token-for-the-benchmark"
TRAIN = """
import json, random, sys, time
config = json.load(open(sys.argv[1]))
time.sleep(0.3)
print(json.dumps({"score": 1 - (config["x"] - 0.3) ** 2 + random.Random(str(config)).gauss(0, 0.01)}))
"""
MIXED = (
    "/api/campaigns/{id}",
    "/api/campaigns/{id}/trials?limit=20",
    "/api/campaigns/{id}/jobs?limit=20",
    "/api/campaigns/{id}/decisions?limit=10",
    "/api/campaigns/{id}/cycles/1",
    "/api/campaigns",
    "/api/campaigns/{id}/events?limit=20",
    "/admin/training/episodes/{id}?limit=10",
    "/admin/training/runs/{id}/summary",
    "/api/policy/DEPLOY",
    "/api/memory/search?text=small+x&k=3",
    "/api/audit?limit=5",
    "/metrics",
)
CONNECTIONS = 32


class Client:
    """One kept connection, one request at a time: as little of this machine as can be."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        if self._streams is None or self._streams[0].at_eof():  # the server closes what was silent for some seconds
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        told = {"Host": "127.0.0.1", "Authorization": f"Bearer {TOKEN}", "Content-Length": str(len(body)), **headers}
        head = "\r\n".join([f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in told.items()), "", ""])
        writer.write(head.encode() + body)
        status = int((await reader.readline()).split()[1])
        length = 0
        while (line := await reader.readline()).strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        return status, await reader.readexactly(length)


async def follow(port: int, seen: list[int], opened: asyncio.Event) -> None:
    """Note the number of every event, until the server ends the stream."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
    while line := await reader.readline():
        if line.startswith(b": after"):
            opened.set()
        elif line.startswith(b"id: "):
            seen.append(int(line[4:]))


async def load(port: int, campaign: str, rate: float, seconds: float) -> tuple[list[tuple[str, float]], Counter[int]]:
    """(path, latency in ms) of every request, and the statuses."""
    free: asyncio.Queue[Client] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(Client(port))
    took: list[tuple[str, float]] = []
    statuses: Counter[int] = Counter()

    async def one(path: str, due: float) -> None:
        client = await free.get()
        status, _ = await client.request("GET", path.format(id=campaign))
        took.append((path, 1e3 * (time.perf_counter() - due)))
        statuses[status] += 1
        free.put_nowait(client)

    began, tasks = time.perf_counter(), []
    for number, path in zip(range(int(rate * seconds)), itertools.cycle(MIXED), strict=False):
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(one(path, due)))
    await asyncio.gather(*tasks)
    return took, statuses


def hostile(port: int) -> dict[str, str]:
    """What each bad body is answered; as much is sent as the server takes."""
    start = f"POST /admin/training/start HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n"
    json_type = "Content-Type: application/json\r\n"
    bodies = {
        "1 GB, announced": (f"Content-Length: {10**9}\r\n\r\n", b" " * 65536, 10**9),
        "1 GB, in chunks": ("Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b" " * 65536 + b"\r\n", 10**9),
        "1 MB of brackets": (f"{json_type}Content-Length: 1000000\r\n\r\n", b"[" * 10_000, 10**6),
        "a number of 1 MB": (f"{json_type}Content-Length: 1000000\r\n\r\n", b"9" * 10_000, 10**6),
    }
    return {name: _sent(port, start + head, part, most) for name, (head, part, most) in bodies.items()}


def _sent(port: int, head: str, part: bytes, most: int) -> str:
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendall(head.encode())
        sent = 0
        try:
            while sent < most:
                raw.sendall(part)
                sent += len(part)
        except OSError:
            pass  # it has hung up
        try:
            answer = raw.recv(100).split(b"\r\n")[0].decode()
        except OSError:
            answer = "hung up"
    return f"{answer or 'hung up'} after {sent / 1e6:.1f} MB"


def memory_mb(pid: int) -> tuple[float, float]:
    """(now, at most so far)"""
    told = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(told["VmRSS"].split()[0]) / 1024, int(told["VmHWM"].split()[0]) / 1024


def cpu_s(pid: int) -> float:
    """What a process has taken of the processors."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def wait_for(pid: int) -> None:
    while Path(f"/proc/{pid}").exists():
        time.sleep(0.2)


def begin(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    (folder / "train.py").write_text(TRAIN)
    definition = {
        "name": "bench",
        "command": ["{python}", "-I", "-S", "{here}/train.py", "{config}"],
        "objective": {"metric": "score"},
        "space": {"x": {"type": "float", "low": 0.0, "high": 1.0}, "n": {"type": "int", "low": 1, "high": 9}},
        "baseline": {"x": 0.9, "n": 5},
        "budget": {"cycles": 1000},
    }
    (folder / "campaign.yaml").write_text(json.dumps(definition))
    command = [sys.executable, "run_graph.py", "--home", str(folder / "home"), "--json-stream", "serve", "--port", "0"]
    environment = {**os.environ, "RATCHET_TOKEN": TOKEN, "ENABLE_TRAINING": "1", "RATCHET_EMBEDDING_MODEL": "hash"}
    process = subprocess.Popen(
        [*command, "--campaign", str(folder)], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=None
    )
    assert process.stdout is not None
    return process, int(json.loads(process.stdout.readline())["url"].rpartition(":")[2])


async def measure(process: subprocess.Popen[bytes], port: int, rate: float, seconds: float, streams: int) -> None:
    client = Client(port)
    body = json.dumps({"episodes": 1000}).encode()
    _, told = await client.request("POST", "/admin/training/start", body, **{"Content-Type": "application/json"})
    run: dict[str, Any] = json.loads(told)
    campaign = run["run_id"]
    try:
        await observed(process, port, campaign, rate, seconds, streams)
    finally:
        os.kill(run["pid"], signal.SIGTERM)
        await asyncio.to_thread(wait_for, run["pid"])  # it stops by itself, and its folder is needed until then


async def observed(
    process: subprocess.Popen[bytes], port: int, campaign: str, rate: float, seconds: float, streams: int
) -> None:
    client = Client(port)
    while True:
        _, told = await client.request("GET", f"/api/campaigns/{campaign}")
        if json.loads(told)["finished_cycles"] >= 3:
            break
        await asyncio.sleep(0.5)
    seen: list[list[int]] = [[] for _ in range(streams)]
    opened = [asyncio.Event() for _ in range(streams)]
    following = [asyncio.create_task(follow(port, *pair)) for pair in zip(seen, opened, strict=True)]
    await asyncio.gather(*(each.wait() for each in opened))
    before, used = memory_mb(process.pid)[0], cpu_s(process.pid)
    took, statuses = await load(port, campaign, rate, seconds)
    used = cpu_s(process.pid) - used
    values = [value for _, value in took]
    _, told = await client.request("GET", f"/api/campaigns/{campaign}")
    print(f"machine load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"campaign at the end: {json.loads(told)['finished_cycles']} cycles, {json.loads(told)['status']}")
    print(f"{len(took)} requests at {rate:g}/s, answers by status: {dict(statuses)}")
    print(f"processor time of the server: {1e3 * used / len(took):.2f} ms a request, streams and all")
    print(f"latency ms: p50 {quantile(values, 0.5):.1f}  p99 {quantile(values, 0.99):.1f}  max {max(values):.1f}")
    for path in MIXED:
        own = [value for name, value in took if name == path]
        print(f"  {path:42} p50 {quantile(own, 0.5):7.1f}  p99 {quantile(own, 0.99):7.1f}")
    print(f"{streams} streams: {min(map(len, seen))} to {max(map(len, seen))} events each")
    print(f"memory MB: {before:.0f} before, {memory_mb(process.pid)[0]:.0f} after the reads")
    resting, _ = memory_mb(process.pid)
    for name, answer in (await asyncio.to_thread(hostile, port)).items():
        print(f"  {name:18} {answer}")
    now, most = memory_mb(process.pid)
    print(f"memory MB: {resting:.0f} before, {now:.0f} after the hostile bodies, {most:.0f} at most so far")
    began = time.perf_counter()
    process.send_signal(signal.SIGTERM)
    code = await asyncio.to_thread(process.wait)
    print(f"SIGTERM with {streams} streams open: exit {code} in {time.perf_counter() - began:.2f} s")
    await asyncio.gather(*following, return_exceptions=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--rate", type=float, default=200)
    options.add_argument("--seconds", type=float, default=20)
    options.add_argument("--streams", type=int, default=50)
    args = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        process, port = begin(Path(folder))
        try:
            asyncio.run(measure(process, port, args.rate, args.seconds, args.streams))
        finally:
            if process.poll() is None:
                process.kill()


if __name__ == "__main__":
    main()
