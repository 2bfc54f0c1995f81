"""A server that speaks OpenAI's chat completions over HTTP on loopback; used as `ollama_stand_in` is.

Source: https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from .wire import Answer, Asked, Fault, Server, Wire

__all__ = ["Answer", "Asked", "Fault", "Server", "start"]


class OpenAIWire(Wire):
    content_type = "text/event-stream"

    def do_GET(self) -> None:  # noqa: N802  # named by http.server
        if self.stand_in.key and self.headers.get("authorization") != f"Bearer {self.stand_in.key}":
            self.send_json({"error": {"message": "Incorrect API key provided.", "code": "invalid_api_key"}}, 401)
        elif self.path == "/v1/models":
            self.send_json(
                {"object": "list", "data": [{"id": name, "object": "model"} for name in self.stand_in.models]}
            )
        else:
            self.send_json({"error": {"message": "not found"}}, 404)

    def do_POST(self) -> None:  # noqa: N802
        body = self.read_json()
        if self.stand_in.key and self.headers.get("authorization") != f"Bearer {self.stand_in.key}":
            given = self.headers.get("authorization", "").removeprefix("Bearer ")
            told = {"error": {"message": f"Incorrect API key provided: {given}.", "code": "invalid_api_key"}}
            self.send_json(told, 401)
        elif self.path != "/v1/chat/completions":
            self.send_json({"error": {"message": "not found"}}, 404)
        elif body.get("model") not in self.stand_in.models:
            told = {"error": {"message": f"The model `{body.get('model')}` does not exist", "code": "model_not_found"}}
            self.send_json(told, 404)
        else:
            form = body.get("response_format") or {}
            schema = form.get("json_schema", {}).get("schema", {})
            asked, fault = self.stand_in.note(body["model"], body.get("messages", []), schema, body, dict(self.headers))
            self.chat(asked, fault, stream=body.get("stream", False))

    def pieces(self, asked: Asked, text: str) -> Iterator[bytes]:
        words = re.findall(r"\s*\S{1,12}|\s+", text) or [""]
        most = asked.body.get("max_completion_tokens") or asked.body.get("max_tokens") or 0
        cut = 0 < most < len(words)
        words = words[:most] if cut else words
        for word in words:
            yield self.framed(json.dumps(_chunk(asked, {"role": "assistant", "content": word}, None)))
        yield self.framed(json.dumps(_chunk(asked, {}, "length" if cut else "stop")))
        if (asked.body.get("stream_options") or {}).get("include_usage"):
            told = _chunk(asked, {}, None) | {"choices": [], "usage": _usage(asked, len(words))}
            yield self.framed(json.dumps(told))
        yield self.framed("[DONE]")

    def whole(self, asked: Asked, text: str) -> dict[str, Any]:
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return {
            "id": f"chatcmpl-{asked.number}", "object": "chat.completion", "created": 1767225600, "model": asked.model,
            "choices": [choice], "usage": _usage(asked, len(text.split())),
        }  # fmt: skip

    def error_body(self, text: str) -> str:
        return json.dumps({"error": {"message": text, "type": "server_error"}})

    def framed(self, text: str) -> bytes:
        return b"data: " + text.encode() + b"\n\n"


def start(
    answer: Answer | None = None,
    *,
    models: tuple[str, ...] = ("gpt-test",),
    latency_s: float = 0.0,
    port: int = 0,
    key: str = "",
) -> Server:
    """A stand-in in this process; its base URL is `server.url + "/v1"`."""
    return Server(OpenAIWire, answer, models=models, latency_s=latency_s, port=port, key=key, context_length=0)


def _chunk(asked: Asked, delta: dict[str, Any], finish: str | None) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{asked.number}", "object": "chat.completion.chunk", "created": 1767225600,
        "model": asked.model, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }  # fmt: skip


def _usage(asked: Asked, written: int) -> dict[str, int]:
    read = sum(len(str(message.get("content", ""))) for message in asked.messages) // 4
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
