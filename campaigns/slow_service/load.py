"""A bounded load on the shop: real HTTP on loopback, the same requests for the same seed, failed ones counted.

`python load.py --url http://127.0.0.1:8123 --rate 20 --seconds 10 --seed 0` prints one JSON object at its end, also
when it is ended by SIGTERM or SIGINT.  Requests begin at their moments whether earlier ones were answered or not, up to
MOST at once: a slow service is not asked less.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import signal
import time

import httpx

MOST = 16
PATIENCE_S = 10.0
BASKETS = 12
"""Different baskets that are asked for: what sells, sells again."""


def requests(seed: int) -> list[str]:
    """A thousand paths, drawn once; the load goes round them."""
    rng = random.Random(seed)
    baskets = [",".join(str(rng.randint(1000, 2000)) for _ in range(rng.randint(4, 6))) for _ in range(BASKETS)]
    zones = ("home", "near", "far")

    def one() -> str:
        kind = rng.random()
        if kind < 0.4:
            return f"/quote?volumes={rng.choice(baskets)}&zone={rng.choice(zones)}"
        if kind < 0.7:
            return f"/products/{rng.randint(1, 12)}/buyers"
        return f"/customers/{rng.randint(1, 225)}/orders"

    return [one() for _ in range(1000)]


async def run(url: str, rate: float, seconds: float, seed: int) -> dict[str, float]:
    """Requests at `rate` a second for `seconds`; 0: until a signal."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    paths, took, failed = requests(seed), [], 0
    places = asyncio.Semaphore(MOST)
    begun = time.monotonic()

    async def ask(client: httpx.AsyncClient, path: str) -> None:
        nonlocal failed
        async with places:
            at = time.perf_counter()
            try:
                answer = await client.get(path)
                failed += answer.status_code >= 400
            except httpx.HTTPError:
                failed += 1
            took.append(time.perf_counter() - at)

    limits = httpx.Limits(max_connections=MOST, max_keepalive_connections=MOST)
    async with (
        httpx.AsyncClient(base_url=url, timeout=PATIENCE_S, limits=limits) as client,
        asyncio.TaskGroup() as asking,
    ):
        number = 0
        while not stop.is_set() and not (seconds and time.monotonic() - begun >= seconds):
            asking.create_task(ask(client, paths[number % len(paths)]))
            number += 1
            wait = begun + number / rate - time.monotonic()
            if wait > 0:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), wait)
    took.sort()
    return {
        "requests": len(took),
        "failed": failed,
        "seconds": round(time.monotonic() - begun, 3),
        "p50_ms": round(1000 * took[len(took) // 2], 2) if took else 0.0,
        "p95_ms": round(1000 * took[int(len(took) * 0.95)], 2) if took else 0.0,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="load")
    parser.add_argument("--url", required=True)
    parser.add_argument("--rate", type=float, default=20.0, help="requests a second (default: 20)")
    parser.add_argument("--seconds", type=float, default=0.0, help="how long (default: until SIGTERM)")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    print(json.dumps(asyncio.run(run(args.url, args.rate, args.seconds, args.seed))), flush=True)


if __name__ == "__main__":
    main()
