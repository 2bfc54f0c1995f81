"""Language model calls a second with eight in flight, and what a call costs beside the model's own time.

    python benchmarks/model_calls.py [--calls 64]

The model is a stand-in server in another process, which takes one second for an answer; langchain-ollama, HTTP,
guard, meter, span, reading and validating are real.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pydantic import BaseModel

from core.campaign import Budget, ModelPlan
from core.models import Prompt
from runtime.models.asking import Asked, AskingModel
from runtime.models.choice import open_chat
from runtime.models.guard import GuardedChat
from runtime.models.meter import Meter, MeteredChat
from runtime.models.spans import TracedChat
from tests.model_servers.ollama_stand_in import spawn

LEAST_PER_S = 7.0
SPEC = "ollama:llama3.2"


class Judgement(BaseModel):
    score: float
    reason: str


async def ask(url: str, calls: int, concurrency: int) -> tuple[float, list[float], float]:
    """Wall seconds for all calls, seconds of each, CPU seconds of this process."""
    took: list[float] = []

    def told(asked: Asked) -> None:
        assert asked.reply is not None
        took.append(asked.reply.duration_s)

    inner = open_chat(SPEC, ModelPlan(), Path(), {"OLLAMA_HOST": url})
    metered = MeteredChat(TracedChat(inner, "voter"), Meter(Budget(tokens=10**9, usd=10.0), {}), "voter")
    chat = GuardedChat(metered, concurrency=concurrency)
    model = AskingModel(SPEC, chat, " ".join, told=told)
    prompt = Prompt(name="voter/judgement", edition="benchmark", system="Be brief.", user="x" * 2000, max_tokens=500)
    await model.ask(prompt, Judgement)  # the first one imports and connects
    took.clear()
    began, used = time.perf_counter(), time.process_time()
    await asyncio.gather(*(model.ask(prompt, Judgement) for _ in range(calls)))
    return time.perf_counter() - began, took, time.process_time() - used


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--calls", type=int, default=64)
    calls = arguments.parse_args().calls
    with spawn("--latency", "1") as url:
        wall, took, used = asyncio.run(ask(url, calls, concurrency=8))
    rate = calls / wall
    print(f"8 in flight at 1 s latency: {rate:.2f} answers/s of at most 8 ({calls} calls in {wall:.1f} s); "
          f"{1e3 * used / calls:.1f} ms CPU a call, slowest {max(took):.2f} s")  # fmt: skip
    with spawn() as url:
        wall, took, used = asyncio.run(ask(url, calls * 4, concurrency=1))
    print(f"one after another at no latency: {1e3 * wall / (calls * 4):.1f} ms a call, of which HTTP and LangChain "
          f"{1e3 * statistics.mean(took):.1f} ms; {1e3 * used / (calls * 4):.1f} ms CPU")  # fmt: skip
    if rate < LEAST_PER_S:
        raise SystemExit(f"below {LEAST_PER_S:g} answers a second")


if __name__ == "__main__":
    main()
