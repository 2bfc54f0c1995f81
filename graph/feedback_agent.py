"""The feedback loop as an agent, a tool and a service: three faces of one workflow run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field, ValidationError

from agents.feedback.broker import InMemoryBroker, Message
from core.errors import ConfigError
from core.validation import config_error
from graph.feedback_workflow import FeedbackRun, FeedbackWorkflow

if TYPE_CHECKING:
    from langchain_core.tools import StructuredTool

__all__ = [
    "FEEDBACK_REQUEST",
    "CodeFeedbackAssistant",
    "CodeFeedbackRequest",
    "FeedbackAgentService",
    "code_feedback_tool",
    "tool_schema",
]

FEEDBACK_REQUEST = "feedback_request"
DESCRIPTION = (
    "Comment Python code and score the comments against what its syntax tree proves. Answers the rounds as JSON: "
    "comments, reward in 0..1, issues with evidence, guidance for the next round, defects of the code's own docstrings."
)


class CodeFeedbackRequest(BaseModel):
    """What the tool takes."""

    file_path: str = Field(description="where the code is from; its ending says which language it is")
    code: str = Field(description="the source text; it is analysed, never executed")
    iterations: int = Field(default=2, ge=1, le=10, description="rounds at most")


class CodeFeedbackAssistant:
    """The agent of type `code_feedback`.  Tasks with that `task_type`, or whose context holds `code`, are its own."""

    agent_type = "code_feedback"
    capabilities = ("code_commentary", "gan_feedback", "reward_analysis", "guidance_generation")

    def __init__(self, workflow: FeedbackWorkflow) -> None:
        self.workflow = workflow

    @classmethod
    def accepts(cls, task_request: Mapping[str, Any]) -> bool:
        """Whether a task is routed to this agent."""
        return task_request.get("task_type") == cls.agent_type or "code" in _context(task_request)

    async def process(self, task_request: Mapping[str, Any]) -> dict[str, Any]:
        """Rewards, guidance, iteration history and the graph's description for a task with `code` and `file_path`."""
        context = _context(task_request)
        if not isinstance(context.get("code"), str):
            raise ConfigError(
                "the task has no code", where="task_request", hint='give {"code": "…", "file_path": "name.py"}'
            )
        try:
            asked = CodeFeedbackRequest.model_validate(
                {"file_path": "code.py", **{k: v for k, v in context.items() if k in CodeFeedbackRequest.model_fields}}
            )
        except ValidationError as error:
            raise config_error(error, CodeFeedbackRequest, "task_request") from error
        said = context.get("guidance") or ()
        guidance = (said,) if isinstance(said, str) else tuple(map(str, said))
        run = await self.workflow.run(asked.file_path, asked.iterations, code=asked.code, guidance=guidance)
        return self.answer(run)

    def answer(self, run: FeedbackRun) -> dict[str, Any]:
        """A finished run as the agent's answer."""
        return {
            "agent_type": self.agent_type,
            "file_path": run.path,
            "rewards": run.rewards,
            "guidance": list(run.best.agitator_feedback.guidance) if run.best else [],
            "history": [record.model_dump(mode="json") for record in run.records],
            "defects": [defect.model_dump(mode="json") for defect in run.defects],
            "graph": self.workflow.graph.describe(),
            "report": str(run.report),
        }


class FeedbackAgentService:
    """Answers `feedback_request` on a broker with a whole workflow run, until stopped."""

    def __init__(self, broker: InMemoryBroker, workflow: FeedbackWorkflow) -> None:
        self._assistant = CodeFeedbackAssistant(workflow)
        self._stop: Callable[[], None] | None = broker.subscribe(FEEDBACK_REQUEST, self._receive)

    async def _receive(self, message: Message) -> dict[str, Any]:
        return await self._assistant.process(message.payload)

    def stop(self) -> None:
        """Answer no more; stopping twice is stopping once."""
        if self._stop is not None:
            self._stop()
            self._stop = None


def _context(task_request: Mapping[str, Any]) -> dict[str, Any]:
    """The task and its context as one."""
    context = task_request.get("context")
    return {**(context if isinstance(context, Mapping) else {}), **task_request}


def code_feedback_tool(workflow: FeedbackWorkflow) -> StructuredTool:
    """The loop as a LangChain tool: `{"file_path", "code", "iterations"}` → JSON of the iteration payloads."""
    from langchain_core.tools import StructuredTool

    async def run(file_path: str, code: str, iterations: int = 2) -> str:
        done = await workflow.run(file_path, iterations, code=code)
        return json.dumps(done.as_json(), sort_keys=True)

    def run_here(file_path: str, code: str, iterations: int = 2) -> str:
        """The same for callers without an event loop, in a thread of its own, since they may be inside of one."""
        with ThreadPoolExecutor(max_workers=1) as pool:
            return pool.submit(asyncio.run, run(file_path, code, iterations)).result()

    return StructuredTool.from_function(
        func=run_here, coroutine=run, name="code_feedback", description=DESCRIPTION, args_schema=CodeFeedbackRequest
    )


def tool_schema() -> dict[str, Any]:
    """The tool's description as plain JSON schema, for frameworks other than LangChain."""
    return {
        "name": "code_feedback",
        "description": DESCRIPTION,
        "inputSchema": CodeFeedbackRequest.model_json_schema(),
    }
