"""The feedback subgraph and workflow: the same rounds as the plain loop, reports, events, guidance, memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from feedback_code import CODE

from agents.feedback.loop import CodeFeedbackLoop
from agents.feedback.records import IterationRecord
from core.errors import ConfigError, NotFoundError
from graph.feedback import FeedbackGraph
from graph.feedback_workflow import FeedbackRun, FeedbackWorkflow
from memory.embeddings import HashEmbedder
from memory.ledger import Ledger
from memory.recall import Recall


@pytest.fixture
def recall(tmp_path: Path) -> Iterator[Recall]:
    ledger = Ledger(tmp_path / "ledger.db")
    recall = Recall.open(tmp_path / "recall", ledger.embeddings, HashEmbedder())
    yield recall
    recall.close()
    ledger.close()


def run(workflow: FeedbackWorkflow, *words: Any, **options: Any) -> FeedbackRun:
    return asyncio.run(workflow.run(*words, **options))


def statements(run: FeedbackRun, topic: str) -> list[str]:
    assert run.best is not None
    return [s.text for summary in run.best.comments.summaries for s in summary.statements if s.topic == topic]


# --------------------------------------------------------------------- subgraph


def test_the_subgraph_gives_the_records_of_the_plain_loop() -> None:
    told: list[IterationRecord] = []
    records = asyncio.run(FeedbackGraph().run(CodeFeedbackLoop(), "stock.py", CODE, 4, told=told.append))
    assert records == CodeFeedbackLoop().run("stock.py", CODE, 4)
    assert told == records
    assert len(records) > 1
    assert records[-1].best_reward > records[0].best_reward


def test_an_async_listener_is_awaited_round_by_round() -> None:
    seen: list[str] = []

    async def told(record: IterationRecord) -> None:
        seen.append(f"begin {record.iteration}")
        await asyncio.sleep(0)
        seen.append(f"end {record.iteration}")

    asyncio.run(FeedbackGraph().run(CodeFeedbackLoop(), "stock.py", CODE, 2, told=told))
    assert seen == ["begin 0", "end 0", "begin 1", "end 1"]


def test_it_stops_when_nothing_more_is_gained() -> None:
    records = asyncio.run(FeedbackGraph().run(CodeFeedbackLoop(), "stock.py", CODE, 30))
    assert len(records) < 30
    assert [record.agitator_feedback.stop for record in records] == [False] * (len(records) - 1) + [True]
    assert records[-1].agitator_feedback.stop_reason


@pytest.mark.parametrize("iterations", [0, -1])
def test_less_than_one_round_is_refused(iterations: int) -> None:
    with pytest.raises(ConfigError):
        asyncio.run(FeedbackGraph().run(CodeFeedbackLoop(), "stock.py", CODE, iterations))


def test_the_graph_describes_itself_as_plain_data() -> None:
    told = json.loads(json.dumps(FeedbackGraph().describe()))
    assert told["nodes"] == ["generator", "discriminator", "agitator"]
    edges = {(edge["source"], edge["target"], edge["conditional"]) for edge in told["edges"]}
    assert edges == {
        ("__start__", "generator", True),
        ("__start__", "discriminator", True),
        ("generator", "discriminator", False),
        ("discriminator", "agitator", False),
        ("agitator", "generator", True),
        ("agitator", "__end__", True),
    }
    assert {"human", "agitator", "recalled"} <= set(told["guidance_keys"])


# --------------------------------------------------------------------- workflow


def test_a_run_writes_its_report_and_the_report_holds_the_records(tmp_path: Path) -> None:
    file = tmp_path / "stock.py"
    file.write_text(CODE)
    workflow = FeedbackWorkflow(tmp_path / "workflow_runs", clock=lambda: 12.0)
    done = run(workflow, file, 3)
    assert done.report is not None
    assert done.report.parent == tmp_path / "workflow_runs"
    report = json.loads(done.report.read_text("utf-8"))
    assert [IterationRecord.model_validate(record) for record in report["records"]] == done.records
    assert report["rewards"] == done.rewards
    assert (report["file_path"], report["started_at"]) == (str(file), 12.0)
    assert {defect["kind"] for defect in report["defects"]} == {"wrong_parameter", "wrong_default"}
    assert [path.name for path in done.report.parent.iterdir()] == [done.report.name]  # nothing half-written is left
    assert file.read_text() == CODE
    assert workflow.benchmark.summary()["runs"] == 1


def test_two_runs_of_the_same_file_differ_in_nothing_but_the_time(tmp_path: Path) -> None:
    reports = []
    for number in range(2):
        done = run(FeedbackWorkflow(tmp_path / "runs", clock=lambda n=number: 5.0 + n), "stock.py", 2, code=CODE)
        assert done.report is not None
        reports.append(done.report.read_text().splitlines())
    assert len({len(lines) for lines in reports}) == 1
    different = [a for a, b in zip(*reports, strict=True) if a != b]
    assert [line.split(":")[0].strip() for line in different] == ['"run_id"', '"started_at"']


def test_a_second_run_of_one_workflow_keeps_the_best_of_the_first(tmp_path: Path) -> None:
    workflow = FeedbackWorkflow(tmp_path)
    first = run(workflow, "stock.py", 30, code=CODE)
    second = run(workflow, "stock.py", 1, code=CODE)
    assert first.best is not None
    assert second.best is not None
    assert second.best.discriminator_score.reward >= first.best.discriminator_score.reward


def test_events_reach_plain_and_async_handlers_in_order(tmp_path: Path) -> None:
    workflow = FeedbackWorkflow(tmp_path)
    heard: list[tuple[str, Any]] = []

    async def awaited(state: FeedbackRun, payload: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        heard.append(("round", payload["iteration"]))
        assert len(state.records) == payload["iteration"] + 1

    workflow.register_event_handler("run_started", lambda state, payload: heard.append(("start", payload["file_path"])))
    workflow.register_event_handler("iteration_completed", awaited)
    workflow.register_event_handler("run_completed", lambda state, payload: heard.append(("end", payload["rewards"])))
    done = run(workflow, "stock.py", 2, code=CODE)
    assert heard == [("start", "stock.py"), ("round", 0), ("round", 1), ("end", done.rewards)]
    json.dumps(done.as_json())


def test_an_unknown_event_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        FeedbackWorkflow(tmp_path).register_event_handler("iteration_complete", lambda state, payload: None)
    assert "iteration_completed" in refused.value.hint


def test_human_guidance_changes_what_is_said(tmp_path: Path) -> None:
    plain = run(FeedbackWorkflow(tmp_path / "a"), "stock.py", 1, code=CODE)
    workflow = FeedbackWorkflow(tmp_path / "b")
    workflow.add_human_guidance("stock.py", "Focus on type hints")
    guided = run(workflow, "stock.py", 1, code=CODE)
    assert statements(plain, "types") == []
    said = " ".join(statements(guided, "types"))
    assert all(name in said for name in ("path", "count", "strict", "stocks"))
    assert guided.records[0].guidance[0] == "Focus on type hints"


def test_guidance_that_needs_a_model_is_said_to_be_unmet(tmp_path: Path) -> None:
    done = run(FeedbackWorkflow(tmp_path), "stock.py", 1, code=CODE, guidance=["Write it as a limerick"])
    assert done.records[0].agitator_feedback.unmet == ("Write it as a limerick",)


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [("gone.py", None, NotFoundError), ("a.go", b"package main", ConfigError), ("b.py", b"\x00\x01", ConfigError)],
)
def test_a_file_that_cannot_be_analysed_leaves_no_report(
    tmp_path: Path, name: str, content: bytes | None, error: type[Exception]
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(error):
        run(FeedbackWorkflow(tmp_path / "runs"), tmp_path / name, 1)
    assert not (tmp_path / "runs").exists()


# ----------------------------------------------------------------------- memory


def test_guidance_that_paid_is_recalled_for_a_file_like_it(tmp_path: Path, recall: Recall) -> None:
    first = run(FeedbackWorkflow(tmp_path, recall=recall), "stock.py", 4, code=CODE)
    assert first.recalled == ()
    paid = {
        text
        for before, after in zip(first.records, first.records[1:], strict=False)
        if after.kept and after.discriminator_score.reward > before.discriminator_score.reward
        for text in before.agitator_feedback.guidance
    }
    assert paid
    kept = recall.search("guidance that paid", 20, collection="guidance")
    assert {memory.text.partition(": ")[2] for memory in kept} == paid
    assert all(memory.score is not None and memory.score > 0 for memory in kept)
    second = run(FeedbackWorkflow(tmp_path, recall=recall), "shop.py", 1, code=CODE.replace("Stock", "Store"))
    assert second.recalled
    assert set(second.recalled) <= paid


def test_rounds_and_summaries_are_found_by_file_and_by_meaning(tmp_path: Path, recall: Recall) -> None:
    workflow = FeedbackWorkflow(tmp_path, recall=recall)
    done = run(workflow, "stock.py", 2, code=CODE)
    run(workflow, "other.py", 1, code="def halve(number):\n    return number / 2\n")
    found = recall.search("merge stocks", 100, collection="comments", campaign_id="feedback:stock.py")
    assert {memory.kind for memory in found} == {"comment"}
    assert any("function merge" in memory.text for memory in found)
    assert sum("round" in memory.text and "reward" in memory.text for memory in found) == len(done.records)
    assert not any("halve" in memory.text for memory in found)
    assert recall.search("merge", 5, collection="lessons") == []
