"""The feedback loop as agent, tool and service, and the broker between agents."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from feedback_code import CODE

from agents.feedback.broker import FeedbackAgentChannel, InMemoryBroker, Message
from agents.feedback.records import IterationRecord
from core.errors import ConfigError, RatchetError, UnavailableError
from graph.feedback_agent import (
    FEEDBACK_REQUEST,
    CodeFeedbackAssistant,
    FeedbackAgentService,
    code_feedback_tool,
    tool_schema,
)
from graph.feedback_workflow import FeedbackWorkflow


@pytest.fixture
def workflow(tmp_path: Path) -> FeedbackWorkflow:
    return FeedbackWorkflow(tmp_path / "workflow_runs")


# ------------------------------------------------------------------------ agent


@pytest.mark.parametrize(
    ("task", "own"),
    [
        ({"task_type": "code_feedback"}, True),
        ({"context": {"code": "x = 1"}}, True),
        ({"code": "x = 1"}, True),
        ({"task_type": "research", "context": {"text": "code"}}, False),
        ({"task_type": "research", "context": None}, False),
        ({"task_type": "research", "context": "code"}, False),
        ({}, False),
    ],
)
def test_tasks_are_routed_by_type_or_by_code(task: dict[str, Any], own: bool) -> None:
    assert CodeFeedbackAssistant.accepts(task) is own


@pytest.mark.parametrize("nested", [True, False])
def test_the_agent_answers_rewards_guidance_history_and_graph(workflow: FeedbackWorkflow, nested: bool) -> None:
    content = {"code": CODE, "file_path": "stock.py", "iterations": 2, "guidance": "Focus on type hints"}
    task = {"task_type": "code_feedback", **({"context": content} if nested else content)}
    answer = asyncio.run(CodeFeedbackAssistant(workflow).process(task))
    json.dumps(answer)
    assert len(answer["rewards"]) == len(answer["history"]) == 2
    assert answer["graph"] == workflow.graph.describe()
    assert "Focus on type hints" in answer["guidance"]
    assert Path(answer["report"]).is_file()
    assert {defect["kind"] for defect in answer["defects"]} == {"wrong_parameter", "wrong_default"}


@pytest.mark.parametrize(
    "task",
    [
        {"task_type": "code_feedback"},
        {"code": 3},
        {"code": "x = 1", "iterations": 0},
        {"code": "x = 1", "iterations": "many"},
        {"code": "x = 1", "file_path": "a.rs"},
    ],
)
def test_a_task_that_cannot_be_done_is_one_clear_error(workflow: FeedbackWorkflow, task: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        asyncio.run(CodeFeedbackAssistant(workflow).process(task))


# ------------------------------------------------------------------------- tool


def test_the_tool_gives_the_rounds_as_json_async_and_sync(workflow: FeedbackWorkflow) -> None:
    tool = code_feedback_tool(workflow)
    asked = {"file_path": "stock.py", "code": CODE, "iterations": 2}
    answer = json.loads(asyncio.run(tool.ainvoke(asked)))
    records = [IterationRecord.model_validate(record) for record in answer["records"]]
    assert [record.discriminator_score.reward for record in records] == answer["rewards"]
    again = json.loads(tool.invoke({**asked, "file_path": "again.py"}))
    assert again["rewards"] == answer["rewards"]


def test_the_tool_may_be_called_without_await_inside_a_running_loop(workflow: FeedbackWorkflow) -> None:
    async def inside() -> str:
        return str(code_feedback_tool(workflow).invoke({"file_path": "a.py", "code": "x = 1\n", "iterations": 1}))

    assert len(json.loads(asyncio.run(inside()))["records"]) == 1


def test_the_schema_says_what_the_tool_takes(workflow: FeedbackWorkflow) -> None:
    schema = json.loads(json.dumps(tool_schema()))
    assert set(schema) == {"name", "description", "inputSchema"}
    assert set(schema["inputSchema"]["properties"]) == {"file_path", "code", "iterations"}
    assert schema["inputSchema"]["required"] == ["file_path", "code"]
    assert (schema["name"], schema["description"]) == (
        code_feedback_tool(workflow).name,
        code_feedback_tool(workflow).description,
    )


# ----------------------------------------------------------------------- broker


def test_answers_find_their_requests_whatever_order_they_come_in() -> None:
    async def scene() -> None:
        broker = InMemoryBroker()
        gates = {number: asyncio.Event() for number in range(3)}
        order: list[str] = []
        arrived = asyncio.Semaphore(0)

        async def receive(message: Message) -> dict[str, Any]:
            arrived.release()
            await gates[message.payload["number"]].wait()
            order.append(message.correlation_id)
            return {"number": message.payload["number"]}

        broker.subscribe("echo", receive)
        channel = FeedbackAgentChannel(broker, "asker")
        asked = [asyncio.create_task(channel.request("echo", {"number": n}, timeout_s=30)) for n in range(3)]
        for _ in range(3):
            await arrived.acquire()
        sent = channel.pending
        assert len(set(sent)) == 3
        for number in (2, 0, 1):
            gates[number].set()
            assert await asked[number] == {"number": number}
        assert order == [sent[2], sent[0], sent[1]]
        assert channel.pending == ()

    asyncio.run(scene())


def test_a_request_that_is_not_answered_in_time_ends_and_its_work_is_cancelled() -> None:
    async def scene() -> None:
        broker = InMemoryBroker()
        cancelled = asyncio.Event()

        async def never(message: Message) -> dict[str, Any]:
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()
            return {}

        broker.subscribe("slow", never)
        channel = FeedbackAgentChannel(broker, "asker")
        with pytest.raises(UnavailableError, match="not answered within"):
            await channel.request("slow", {}, timeout_s=0.05)
        await asyncio.wait_for(cancelled.wait(), 30)
        assert channel.pending == ()

    asyncio.run(scene())


def test_what_the_receiver_raises_is_told_and_the_service_lives_on() -> None:
    async def scene() -> None:
        broker = InMemoryBroker()

        async def picky(message: Message) -> dict[str, Any]:
            return {"inverse": 1 / message.payload["number"]}

        broker.subscribe("invert", picky)
        channel = FeedbackAgentChannel(broker, "asker")
        with pytest.raises(UnavailableError, match="ZeroDivisionError"):
            await channel.request("invert", {"number": 0})
        assert await channel.request("invert", {"number": 4}) == {"inverse": 0.25}

    asyncio.run(scene())


def test_nobody_answers_and_two_cannot() -> None:
    async def scene() -> None:
        broker = InMemoryBroker()
        with pytest.raises(UnavailableError, match="nobody answers"):
            await FeedbackAgentChannel(broker, "asker").request("silence", {})

        async def receive(message: Message) -> dict[str, Any]:
            return {}

        broker.subscribe("once", receive)
        with pytest.raises(RatchetError, match="already"):
            broker.subscribe("once", receive)

    asyncio.run(scene())


def test_the_service_answers_with_whole_runs_until_it_is_stopped(workflow: FeedbackWorkflow) -> None:
    async def scene() -> None:
        broker = InMemoryBroker()
        service = FeedbackAgentService(broker, workflow)
        channel = FeedbackAgentChannel(broker, "council")
        first, second = await asyncio.gather(
            channel.request(FEEDBACK_REQUEST, {"code": CODE, "file_path": "stock.py", "iterations": 2}),
            channel.request(FEEDBACK_REQUEST, {"code": "def f(a):\n    return a\n", "file_path": "f.py"}),
        )
        assert (first["file_path"], second["file_path"]) == ("stock.py", "f.py")
        assert len(first["rewards"]) == 2
        with pytest.raises(UnavailableError, match="has no code"):
            await channel.request(FEEDBACK_REQUEST, {"file_path": "f.py"})
        service.stop()
        service.stop()
        with pytest.raises(UnavailableError, match="nobody answers"):
            await channel.request(FEEDBACK_REQUEST, {"code": CODE})
        FeedbackAgentService(broker, workflow)

    asyncio.run(scene())


def test_runs_of_one_file_at_once_all_end_with_the_best(workflow: FeedbackWorkflow) -> None:
    async def scene() -> list[Any]:
        return await asyncio.gather(*(workflow.run("stock.py", 2, code=CODE) for _ in range(3)))

    runs = asyncio.run(scene())
    assert all(run.best is not None and len(run.records) >= 1 for run in runs)
    best = [run.best.discriminator_score.reward for run in runs]
    assert best == sorted(best)
