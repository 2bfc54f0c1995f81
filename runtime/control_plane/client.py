"""The client of a control plane: every answer is bounded in size and time, and checked before it is believed.

ControlPlaneError (UnavailableError)
├── RefusedError     it understood, and says no: 4xx, with its reason
├── UntrueError      it answers what cannot be: no JSON, missing fields, numbers that are none, another job's results
└── SilentError      it does not answer, or not in time: worth another try
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncGenerator
from types import TracebackType
from typing import Any, NoReturn, Self, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from core.errors import UnavailableError
from runtime.control_plane.event_stream import messages
from runtime.control_plane.wire import (
    Approval,
    Decision,
    JobEvent,
    TrainingJob,
    TrainingResults,
    TrainRequest,
)

__all__ = ["ControlPlaneClient", "ControlPlaneError", "RefusedError", "SilentError", "UntrueError"]

ANSWER_LIMIT_BYTES = 4 * 1024 * 1024
LIST_LIMIT_BYTES = 64 * 1024 * 1024
SILENCE_S = 40.0
"""An event stream that brings nothing for so long is broken: a living one sends a ping every 15 s."""
CANCEL_S = 45.0
M = TypeVar("M", bound=BaseModel)


class ControlPlaneError(UnavailableError):
    """The control plane did not do what was asked."""


class RefusedError(ControlPlaneError):
    """It understood, and says no."""

    def __init__(self, what: str, *, status: int, where: str = "", hint: str = "") -> None:
        super().__init__(what, where=where, hint=hint)
        self.status = status


class UntrueError(ControlPlaneError):
    """It answers what cannot be."""


class SilentError(ControlPlaneError):
    """It does not answer, or not in time."""


class ControlPlaneClient:
    """`token` default: CONTROL_PLANE_TOKEN.  `answer_s` bounds every exchange but event streams and cancelling."""

    def __init__(self, url: str, token: str | None = None, *, answer_s: float = 10.0, connect_s: float = 3.0) -> None:
        self.url = url.rstrip("/")
        self._answer_s = answer_s
        self._token = os.environ.get("CONTROL_PLANE_TOKEN", "") if token is None else token
        try:
            self._http = httpx.AsyncClient(
                base_url=self.url,
                headers={"Authorization": f"Bearer {self._token}"} if self._token else {},
                timeout=httpx.Timeout(answer_s, connect=connect_s),
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=8),
                trust_env=False,  # a proxy of the environment is not asked about jobs
                follow_redirects=False,
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise ControlPlaneError(f"{url!r} is no URL such as http://host:port", where="CONTROL_PLANE_URL") from error

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    async def submit(self, request: TrainRequest) -> tuple[TrainingJob, bool]:
        """Submit, or find what was submitted before; answers the job and whether it is new."""
        headers = {"Idempotency-Key": request.experiment_id, "Content-Type": "application/json"}
        status, content = await self._exchange("POST", "/train", content=request.model_dump_json(), headers=headers)
        job = self._read(TrainingJob, content)
        self._same(job.experiment_id, request.experiment_id)
        return job, status == 202

    async def job(self, experiment_id: str) -> TrainingJob:
        """How a job stands."""
        job = self._read(TrainingJob, (await self._exchange("GET", f"/jobs/{experiment_id}"))[1])
        self._same(job.experiment_id, experiment_id)
        return job

    async def jobs(self, limit: int = 1000) -> list[TrainingJob]:
        """The newest jobs, newest first."""
        told = self._parse((await self._exchange("GET", f"/jobs?limit={limit}", limit_bytes=LIST_LIMIT_BYTES))[1])
        return [self._validate(TrainingJob, one) for one in self._list(told, "jobs")]

    async def results(self, experiment_id: str) -> TrainingResults:
        """What came of a finished job.  Raises RefusedError (409) while it has not finished."""
        results = self._read(TrainingResults, (await self._exchange("GET", f"/jobs/{experiment_id}/results"))[1])
        self._same(results.experiment_id, experiment_id)
        return results

    async def cancel(self, experiment_id: str) -> TrainingJob:
        """End a job; returns when its processes are dead."""
        _, content = await self._exchange("POST", f"/jobs/{experiment_id}/cancel", within_s=CANCEL_S)
        return self._read(TrainingJob, content)

    async def approvals(self) -> list[Approval]:
        """What waits for a person."""
        told = self._parse((await self._exchange("GET", "/approvals", limit_bytes=LIST_LIMIT_BYTES))[1])
        return [self._validate(Approval, one) for one in self._list(told, "approvals")]

    async def decide(self, approval_id: str, decision: Decision) -> Approval:
        """Answer an approval, once."""
        headers = {"Content-Type": "application/json"}
        content = decision.model_dump_json()
        path = f"/approvals/{approval_id}"
        return self._read(Approval, (await self._exchange("POST", path, content=content, headers=headers))[1])

    async def events(self, experiment_id: str, after: int = 0) -> AsyncGenerator[JobEvent]:
        """The events of a job after the number `after`, live, until the control plane ends the stream."""
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(after)}
        timeout = httpx.Timeout(self._answer_s, read=SILENCE_S)
        try:
            async with self._http.stream(
                "GET", f"/jobs/{experiment_id}/events", headers=headers, timeout=timeout
            ) as response:
                if response.status_code != 200:
                    self._refuse(response.status_code, await self._bounded(response))
                if not response.headers.get("content-type", "").startswith("text/event-stream"):
                    raise UntrueError("the control plane sent no event stream", where=self.url)
                async for data in messages(response.aiter_bytes()):
                    event = self._read(JobEvent, data)
                    self._same(event.experiment_id, experiment_id)
                    yield event
        except httpx.HTTPError as error:
            raise self._silent(error) from error
        except ValueError as error:
            raise UntrueError(f"the control plane's event stream is none: {error}", where=self.url) from error

    # ------------------------------------------------------------------- parts

    async def _exchange(
        self,
        method: str,
        path: str,
        *,
        within_s: float | None = None,
        limit_bytes: int = ANSWER_LIMIT_BYTES,
        **request: Any,
    ) -> tuple[int, bytes]:
        """Status and body of a 200 or 202; every other answer is an error."""
        try:
            async with (
                asyncio.timeout(within_s or self._answer_s),
                self._http.stream(method, path, timeout=within_s or self._answer_s, **request) as response,
            ):
                content = await self._bounded(response, limit_bytes)
        except TimeoutError as error:
            raise SilentError(
                f"the control plane did not answer in {within_s or self._answer_s:g} s", where=self.url
            ) from error
        except httpx.HTTPError as error:
            raise self._silent(error) from error
        if response.status_code not in (200, 202):
            self._refuse(response.status_code, content)
        return response.status_code, content

    async def _bounded(self, response: httpx.Response, limit_bytes: int = ANSWER_LIMIT_BYTES) -> bytes:
        content = bytearray()
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > limit_bytes:
                raise UntrueError(f"an answer of more than {limit_bytes:,} bytes", where=self.url)
        return bytes(content)

    def _refuse(self, status: int, content: bytes) -> NoReturn:
        """Raise what an error answer means; its text is shown shortened, whoever wrote it."""
        try:
            told = json.loads(content)
        except (ValueError, RecursionError):
            told = {}
        told = told if isinstance(told, dict) else {}
        detail, where, hint = (str(told.get(key, ""))[:300] for key in ("detail", "where", "hint"))
        if status >= 500 or status == 429:
            raise SilentError(f"the control plane answers {status}: {detail or 'no reason given'}", where=self.url)
        if status == 401:
            hint = "set CONTROL_PLANE_TOKEN to the token that it printed when it first started"
        raise RefusedError(
            f"the control plane refuses ({status}): {detail or 'no reason given'}",
            status=status,
            where=f"{self.url} {where}".strip(),
            hint=hint,
        )

    def _silent(self, error: httpx.HTTPError) -> SilentError:
        return SilentError(
            f"the control plane does not answer: {str(error) or type(error).__name__}",
            where=self.url,
            hint="start it: `python run_graph.py control-plane --campaign FILE`, or unset CONTROL_PLANE_URL",
        )

    def _read(self, kind: type[M], content: bytes) -> M:
        return self._validate(kind, self._parse(content))

    def _parse(self, content: bytes) -> Any:
        try:
            return json.loads(content, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise UntrueError(f"the control plane's answer is not JSON: {str(error)[:200]}", where=self.url) from error

    def _validate(self, kind: type[M], told: Any) -> M:
        try:
            return kind.model_validate(told, extra="ignore")  # a newer one may say more
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise UntrueError(
                f"the control plane's answer is no {kind.__name__}: {where}: {first['msg']}", where=self.url
            ) from error

    def _list(self, told: Any, name: str) -> list[Any]:
        found = told.get(name) if isinstance(told, dict) else None
        if not isinstance(found, list):
            raise UntrueError(f"the control plane's answer has no list of {name}", where=self.url)
        return found

    def _same(self, told: str, asked: str) -> None:
        if told != asked:
            raise UntrueError(f"the control plane answers about {told[:128]!r}, asked for {asked!r}", where=self.url)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
