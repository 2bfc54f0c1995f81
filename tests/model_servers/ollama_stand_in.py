"""A server that speaks Ollama's protocol over HTTP on loopback, and says what a function tells it.

In this process, in threads:

    with start(answer=lambda asked: '{"score": 1}') as server:   # OLLAMA_HOST=server.url
        server.faults.append(Fault("status", status=429, headers={"Retry-After": "1"}))
        server.die_after(20)
        print(server.calls)

In its own process, where nothing that it does costs the tested program time:

    python -m tests.model_servers.ollama_stand_in --latency 1 --answers my_answers.py:answer --die-after 20

prints its URL on the first line and runs until it is killed.  `spawn()` does that from Python.
Source: https://github.com/ollama/ollama/blob/main/docs/api.md
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .wire import Answer, Asked, Fault, Server, Wire

__all__ = ["Answer", "Asked", "Fault", "Server", "spawn", "start"]

MODELS = ("llama3.2:latest", "nomic-embed-text:latest")
SIZES = {"llama3.2": "3.2B", "nomic-embed-text": "137M"}


class OllamaWire(Wire):
    def do_GET(self) -> None:  # noqa: N802  # named by http.server
        if self.path == "/api/version":
            self.send_json({"version": "0.13.0"})
        elif self.path == "/api/tags":
            self.send_json({"models": [_described(name) for name in self.stand_in.models]})
        elif self.path == "/":
            self.send_text("Ollama is running")
        else:
            self.send_text("404 page not found", 404)

    def do_POST(self) -> None:  # noqa: N802
        body = self.read_json()
        name = str(body.get("model", ""))
        if self.stand_in.key and self.headers.get("authorization") != f"Bearer {self.stand_in.key}":
            self.send_json({"error": "unauthorized"}, 401)
        elif self.path not in ("/api/chat", "/api/show"):
            self.send_text("404 page not found", 404)
        elif not any(name in (known, known.removesuffix(":latest")) for known in self.stand_in.models):
            self.send_json({"error": f"model '{name}' not found"}, 404)
        elif self.path == "/api/show":
            embeds = "embed" in name
            self.send_json({
                "details": _described(name)["details"],
                "model_info": {
                    "general.architecture": "llama", "llama.context_length": self.stand_in.context_length
                },
                "capabilities": ["embedding"] if embeds else ["completion", "tools"],
            })  # fmt: skip
        else:
            told = body.get("format")
            schema = told if isinstance(told, dict) else {}
            asked, fault = self.stand_in.note(name, body.get("messages", []), schema, body, dict(self.headers))
            if fault and fault.kind == "refuse_format" and told == "json":
                self.send_text(self.error_body("invalid format"), 400)
                return
            self.chat(asked, fault, stream=body.get("stream", True))

    def pieces(self, asked: Asked, text: str) -> Iterator[bytes]:
        words = re.findall(r"\s*\S{1,12}|\s+", text) or [""]
        most = int(asked.body.get("options", {}).get("num_predict") or -1)
        cut = 0 < most < len(words)
        words = words[:most] if cut else words
        for word in words:
            yield self.framed(json.dumps({**_head(asked), "message": _message(word), "done": False}))
        end = {"message": _message(""), **_tail(asked, len(words), "length" if cut else "stop")}
        yield self.framed(json.dumps({**_head(asked), **end}))

    def whole(self, asked: Asked, text: str) -> dict[str, Any]:
        return {**_head(asked), "message": _message(text), **_tail(asked, len(text.split()), "stop")}

    def error_body(self, text: str) -> str:
        return json.dumps({"error": text})


def start(
    answer: Answer | None = None,
    *,
    models: tuple[str, ...] = MODELS,
    latency_s: float = 0.0,
    port: int = 0,
    key: str = "",
    context_length: int = 131072,
) -> Server:
    """A stand-in in this process.  With a `key`, every call needs it as a bearer token."""
    return Server(
        OllamaWire, answer, models=models, latency_s=latency_s, port=port, key=key, context_length=context_length
    )


@contextlib.contextmanager
def spawn(*options: str) -> Iterator[str]:
    """The URL of a stand-in in its own process; `options` are those of its command line."""
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.model_servers.ollama_stand_in", *options],
        cwd=root, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _described(name: str) -> dict[str, Any]:
    family = "nomic-bert" if "embed" in name else "llama"
    size = SIZES.get(name.partition(":")[0], name.partition(":")[2].upper() or "7B")
    details = {"format": "gguf", "family": family, "families": [family], "parameter_size": size}
    return {"name": name, "model": name, "size": 2_019_393_189, "digest": "a80c4f17acd5", "details": details}


def _head(asked: Asked) -> dict[str, Any]:
    return {"model": asked.model, "created_at": "2026-01-01T00:00:00.000000Z"}


def _message(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def _tail(asked: Asked, written: int, reason: str) -> dict[str, Any]:
    read = sum(len(str(message.get("content", ""))) for message in asked.messages) // 4
    return {
        "done": True, "done_reason": reason, "total_duration": 10_000_000, "load_duration": 1_000_000,
        "prompt_eval_count": read, "prompt_eval_duration": 2_000_000, "eval_count": written, "eval_duration": 7_000_000,
    }  # fmt: skip


def _function(spec: str) -> Answer:
    file, _, name = spec.rpartition(":")
    found = importlib.util.spec_from_file_location("answers", file)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules["answers"] = module
    found.loader.exec_module(module)
    answer: Answer = getattr(module, name)
    return answer


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--port", type=int, default=0)
    arguments.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    arguments.add_argument("--model", action="append", help="a model that is there; may be given several times")
    arguments.add_argument("--answers", help="file.py:function that is given an Asked and tells what the model says")
    arguments.add_argument("--die-after", type=int, help="die in the middle of the answer after so many chats")
    told = arguments.parse_args()
    server = start(
        _function(told.answers) if told.answers else None,
        models=tuple(told.model or MODELS), latency_s=told.latency, port=told.port,
    )  # fmt: skip
    if told.die_after is not None:
        server.die_after(told.die_after)
    print(server.url, flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        while not server.stopped.is_set():
            time.sleep(0.2)


if __name__ == "__main__":
    main()
