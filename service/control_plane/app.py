"""The routes of the control plane.  Each asks the queue one thing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Literal

from fastapi import Depends, FastAPI, Header, Query, Response
from fastapi.security import HTTPBearer
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, Field

from agents.training.queue import TrainingQueue
from core.errors import ConflictError
from runtime.control_plane.wire import (
    Approval,
    Decision,
    JobEvent,
    TrainingJob,
    TrainingResults,
    TrainRequest,
)
from runtime.jobs import JobState
from service.http.guard import Guard
from service.http.problems import describe_whole, handle_errors, problems

__all__ = ["create_app"]

LIST_LIMIT = 1000
OPEN_PATHS = frozenset({"/health", "/openapi.json"})
"""Answered without a token: they tell nothing about jobs."""
STREAM = "One event a message; `id` is its number, `event` is `state` or `report`, `data` a JobEvent."

LastEventId = Annotated[
    int | None, Header(alias="Last-Event-ID", ge=0, description="resume after this event; 0: from the first")
]


class JobList(BaseModel):
    """Some of the jobs, newest first; `total` counts all that match."""

    total: int
    jobs: list[TrainingJob]


class ApprovalList(BaseModel):
    approvals: list[Approval]


class Health(BaseModel):
    """Whether it works, and how busy it is."""

    status: Literal["ok"] = "ok"
    parallel: int = Field(description="jobs that run at once")
    running: int
    waiting: int = Field(description="queued, or waiting for an approval")


def create_app(queue: TrainingQueue, *, token: str, loopback_only: bool = True) -> FastAPI:
    """The app over an open queue.  Every route but /health and /openapi.json wants the token."""
    bearer = HTTPBearer(auto_error=False, description="the token that the control plane printed when it first started")
    app = FastAPI(
        title="Ratchet control plane",
        version="1",
        description="Training jobs over HTTP: submit, watch live, cancel, approve, collect.",
        docs_url=None,
        redoc_url=None,
        responses=problems(403, 421),
    )
    handle_errors(app)
    secured = [Depends(bearer)]

    def existing(experiment_id: str) -> None:
        queue.job(experiment_id)  # asked before the stream begins, else 404 comes too late

    @app.post(
        "/train",
        tags=["jobs"],
        status_code=202,
        dependencies=secured,
        responses={
            200: {"model": TrainingJob, "description": "This job was submitted before"},
            **problems(400, 401, 403, 409, 413, 422, 429, 507),
        },
    )
    async def train(
        request: TrainRequest,
        response: Response,
        idempotency_key: Annotated[
            str | None, Header(max_length=200, description="must be the experiment_id, when given")
        ] = None,
    ) -> TrainingJob:
        """Submit an experiment.  Sent again it is the same job (200); another request of the same id is refused."""
        if idempotency_key not in (None, request.experiment_id):
            raise ConflictError(
                "the Idempotency-Key is not the experiment_id", where="Idempotency-Key", hint="leave the header out"
            )
        job, new = queue.submit(request)
        if not new:
            response.status_code = 200
        return job

    @app.get("/jobs", tags=["jobs"], dependencies=secured, responses=problems(401, 422))
    async def list_jobs(
        status: JobState | None = None,
        campaign: Annotated[str | None, Query(max_length=200)] = None,
        limit: Annotated[int, Query(ge=1, le=LIST_LIMIT)] = 100,
        offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
    ) -> JobList:
        """The jobs, newest first."""
        found = [
            job for job in reversed(queue.jobs()) if status in (None, job.status) and campaign in (None, job.campaign)
        ]
        return JobList(total=len(found), jobs=found[offset : offset + limit])

    @app.get("/jobs/{experiment_id}", tags=["jobs"], dependencies=secured, responses=problems(401, 404, 422))
    async def job(experiment_id: str) -> TrainingJob:
        """How a job stands."""
        return queue.job(experiment_id)

    @app.get(
        "/jobs/{experiment_id}/results", tags=["jobs"], dependencies=secured, responses=problems(401, 404, 409, 422)
    )
    async def results(experiment_id: str) -> TrainingResults:
        """What came of a job; 409 while it has not finished."""
        found = queue.results(experiment_id)
        if found is None:
            status = queue.job(experiment_id).status
            raise ConflictError(f"experiment {experiment_id} has not finished: {status}", hint="follow its events")
        return found

    @app.post("/jobs/{experiment_id}/cancel", tags=["jobs"], dependencies=secured, responses=problems(401, 404, 422))
    async def cancel(experiment_id: str) -> TrainingJob:
        """End a job that waits or runs; answers when its processes are dead.  A finished job stays as it is."""
        return await queue.cancel(experiment_id)

    @app.get(
        "/jobs/{experiment_id}/events",
        tags=["events"],
        dependencies=[*secured, Depends(existing)],
        response_class=EventSourceResponse,
        responses={200: {"description": STREAM}, **problems(401, 404, 422)},
    )
    async def job_events(experiment_id: str, last_event_id: LastEventId = None) -> AsyncIterator[ServerSentEvent]:
        """Every event of a job, from its first or after Last-Event-ID, as it comes; ends with the job."""
        async for event in queue.follow(last_event_id or 0, experiment_id):
            yield _sent(event)

    @app.get(
        "/events",
        tags=["events"],
        dependencies=secured,
        response_class=EventSourceResponse,
        responses={200: {"description": STREAM}, **problems(401, 422)},
    )
    async def events(last_event_id: LastEventId = None) -> AsyncIterator[ServerSentEvent]:
        """The events of all jobs, from now or after Last-Event-ID, as they come."""
        after = queue.log.last if last_event_id is None else last_event_id
        yield ServerSentEvent(comment=f"after {after}")
        async for event in queue.follow(after):
            yield _sent(event)

    @app.get("/approvals", tags=["approvals"], dependencies=secured, responses=problems(401, 422))
    async def approvals(
        waiting: Annotated[bool, Query(description="only those without an answer")] = True,
    ) -> ApprovalList:
        """What waits for a person."""
        return ApprovalList(approvals=[one for one in queue.approvals() if not (waiting and one.decision)])

    @app.post(
        "/approvals/{approval_id}",
        tags=["approvals"],
        dependencies=secured,
        responses=problems(400, 401, 404, 409, 413, 422),
    )
    async def decide(approval_id: str, decision: Decision) -> Approval:
        """Approve or reject, once; a second answer is refused (409)."""
        return queue.decide(approval_id, decision)

    @app.get("/health", tags=["health"])
    async def health() -> Health:
        """Whether it works; needs no token."""
        states = [one.status for one in queue.jobs()]
        waiting = states.count(JobState.QUEUED) + states.count(JobState.PENDING)
        return Health(parallel=queue.parallel, running=states.count(JobState.RUNNING), waiting=waiting)

    app.add_middleware(
        Guard,
        token=token,
        loopback_only=loopback_only,
        open_paths=OPEN_PATHS,
        variable="CONTROL_PLANE_TOKEN",
        name="control plane",
    )
    describe_whole(app)
    return app


def _sent(event: JobEvent) -> ServerSentEvent:
    return ServerSentEvent(id=str(event.seq), event=event.kind, raw_data=event.model_dump_json(exclude={"version"}))
