"""Every documented answer of the orchestrator, over real jobs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from small_campaign import small_campaign

from core.errors import ConfigError, ModelError, NotFoundError
from core.events import JobStarted
from graph.orchestrator import MultiAgentOrchestrator
from memory.episodes import EpisodeLogger
from memory.ledger import Ledger
from memory.state_folder import StateFolder

STAGES = ["director", "proposer", "agenda", "voter", "tally", "supervisor", "executor", "historian"]


def opened(folder: Path, *, offline_mode: bool = False, **changes: Any) -> MultiAgentOrchestrator:
    environment = {"ARC_MEMORY_DIR": str(folder / "state"), "HOME": str(folder)}
    campaign = small_campaign(folder / "campaign", **changes)
    return MultiAgentOrchestrator(campaign, offline_mode=offline_mode, recall=False, environment=environment)


@pytest.fixture
def orchestrator(tmp_path: Path) -> Iterator[MultiAgentOrchestrator]:
    with opened(tmp_path) as made:
        yield made


def started_jobs(folder: Path) -> list[JobStarted]:
    with Ledger(folder / "state" / "ledger.db") as ledger:
        return [e for e in ledger.events(types=(JobStarted,)) if isinstance(e, JobStarted)]


def test_an_autonomous_cycle_is_decided_carried_out_and_integrated(orchestrator: MultiAgentOrchestrator) -> None:
    answer = orchestrator.run_autonomous_cycle(1, wait_for_completion=True, timeout=120)
    assert answer["status"] == "completed"
    assert list(answer["stages"]) == STAGES
    metrics = answer["metrics"]
    assert metrics["total_proposals"] >= metrics["approved_proposals"] > 0
    assert len(answer["decisions"]) == metrics["total_proposals"]
    done = answer["training_completion"]
    assert done["status"] == "completed"
    assert done["total"] == metrics["approved_proposals"] == len(done["jobs"])
    assert set(done["jobs"].values()) <= {"COMPLETED", "FAILED", "CANCELLED"}
    integrated = answer["results_integration"]
    assert integrated["status"] == "integrated"
    assert integrated["cycle_id"] == 1
    assert integrated["total_experiments"] == done["total"]
    assert integrated["successful"] == done["completed"]
    assert integrated["failed"] == done["failed"]
    assert integrated["best_metrics"]["score"] == max(
        r["metrics"]["score"] for r in orchestrator.historian.results(1) if r["status"] == "COMPLETED"
    )
    assert integrated["training_history_updated"] is True
    assert integrated["best_metrics_updated"] is True
    assert integrated["missing"] == []


def test_a_finished_cycle_answers_again_what_it_answered(orchestrator: MultiAgentOrchestrator) -> None:
    first = orchestrator.run_autonomous_cycle(1)
    again = orchestrator.run_autonomous_cycle(1)
    for part in ("stages", "metrics", "decisions", "training_completion"):
        assert first[part] == again[part]


def test_deciding_submits_nothing_and_is_gone_on_with(tmp_path: Path) -> None:
    with opened(tmp_path) as orchestrator:
        decided = orchestrator.run_research_cycle(1)
        assert decided["status"] == "decided"
        assert decided["training_completion"] is None
        assert decided["metrics"]["total_proposals"] > 0
        assert orchestrator.run_research_cycle(1)["decisions"] == decided["decisions"]
        assert started_jobs(tmp_path) == []
        done = orchestrator.run_autonomous_cycle(1)
        assert done["status"] == "completed"
        assert done["decisions"] == decided["decisions"]
        logger = EpisodeLogger(tmp_path / "state" / "training" / "episodes")
        (episode,) = logger.episodes(orchestrator.campaign_id)
        assert episode.status == "completed"
        assert episode.metrics.changes_proposed == decided["metrics"]["total_proposals"]


def test_offline_decides_logs_and_submits_nothing(tmp_path: Path) -> None:
    with opened(tmp_path, offline_mode=True) as orchestrator:
        for cycle in (1, 2):
            answer = orchestrator.run_autonomous_cycle(cycle)
            assert answer["status"] == "decided"
            assert answer["offline"] is True
            assert answer["metrics"]["approved_proposals"] > 0
            assert answer["training_completion"]["status"] == "skipped"
            assert answer["training_completion"]["jobs"] == {}
            assert answer["results_integration"] is None
        logged = orchestrator.decisions(1)
        assert logged["direction"]["reason"]
        assert all(p["rationale"] for p in logged["proposals"])
        assert all(vote["reason"] for vote in logged["votes"])
        assert {r["proposal_id"] for r in logged["rulings"]} == {t["proposal_id"] for t in logged["tallies"]}
    assert started_jobs(tmp_path) == []


def test_without_waiting_the_jobs_go_on_and_can_be_waited_for(tmp_path: Path) -> None:
    space = {
        "x": {"type": "float", "low": 0, "high": 0.7},
        "y": {"type": "float", "low": 0, "high": 1},
        "kind": {"type": "choice", "options": ["a", "b"]},
        "wait": {"type": "choice", "options": [1.0]},
    }
    baseline = {"x": 0.5, "y": 0.5, "kind": "a", "wait": 1.0}
    with opened(tmp_path, space=space, baseline=baseline) as orchestrator:
        answer = orchestrator.run_autonomous_cycle(1, wait_for_completion=False)
        assert answer["status"] == "running"
        ids = list(answer["training_completion"]["jobs"])
        assert ids
        assert answer["training_completion"]["pending"]
        at_once = orchestrator.wait_for_training_completion(ids, timeout=0)
        assert at_once["status"] == "timeout"
        partial = orchestrator.collect_and_integrate_results(at_once["pending"], 1)
        assert partial["missing"] or partial["total_experiments"]
        done = orchestrator.wait_for_training_completion(ids, timeout=60)
        assert done["status"] == "completed"
        assert done["pending"] == []
        integrated = orchestrator.collect_and_integrate_results(ids, 1)
        assert integrated["status"] == "integrated"
        assert integrated["total_experiments"] == len(ids)
        assert orchestrator.run_autonomous_cycle(1)["status"] == "completed"


def test_a_time_limit_gives_partial_feedback(tmp_path: Path) -> None:
    with opened(tmp_path) as orchestrator:
        answer = orchestrator.run_autonomous_cycle(1, timeout=0.01)
        assert answer["status"] == "running"
        assert orchestrator.run_autonomous_cycle(1)["status"] == "completed"


def test_failing_jobs_do_not_fail_the_cycle(tmp_path: Path) -> None:
    space = {"x": {"type": "float", "low": 0.79, "high": 1}, "y": {"type": "float", "low": 0, "high": 1}}
    space["kind"] = {"type": "choice", "options": ["a", "b"]}  # type: ignore[dict-item]
    with opened(tmp_path, space=space, baseline={"x": 0.79, "y": 0.5, "kind": "a"}) as orchestrator:
        answer = orchestrator.run_autonomous_cycle(1)
        assert answer["status"] == "completed"
        assert answer["training_completion"]["failed"] > 0
        assert answer["results_integration"]["failed"] == answer["training_completion"]["failed"]


def test_a_second_opening_goes_on_with_the_same_campaign(tmp_path: Path) -> None:
    with opened(tmp_path) as orchestrator:
        first = orchestrator.run_autonomous_cycle(1)
    with opened(tmp_path) as orchestrator:
        assert orchestrator.run_autonomous_cycle(1)["decisions"] == first["decisions"]
        second = orchestrator.run_autonomous_cycle(2)
        assert second["status"] == "completed"
        total = orchestrator.historian.training_history()["total_experiments"]
        assert total == first["training_completion"]["total"] + second["training_completion"]["total"]


def test_the_model_of_a_campaign_is_chosen_before_its_first_cycle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:1")  # where nobody is
    with opened(tmp_path, model={"use": "auto"}) as orchestrator:
        assert orchestrator.run_research_cycle(1)["status"] == "decided"

    with pytest.raises(ModelError):
        opened(tmp_path, name="other", model={"use": "ollama:llama3.2"})
    with opened(tmp_path, name="other") as orchestrator:  # nothing is held by the one that could not be opened
        assert orchestrator.run_research_cycle(1)["status"] == "decided"


def test_the_index_is_free_once_it_is_closed(tmp_path: Path) -> None:
    environment = {"ARC_MEMORY_DIR": str(tmp_path / "state"), "RATCHET_EMBEDDING_MODEL": "hash"}
    with MultiAgentOrchestrator(small_campaign(tmp_path / "campaign"), environment=environment) as orchestrator:
        assert orchestrator.run_research_cycle(1)["status"] == "decided"

    folder = StateFolder(tmp_path / "state", embedding_model="hash")
    with folder.open_ledger() as ledger:
        recall = folder.open_recall(ledger)
        assert recall.owner
        recall.close()


def test_the_registry_knows_every_seat(orchestrator: MultiAgentOrchestrator) -> None:
    historian = orchestrator.registry.get_agent("historian_001")
    assert historian is orchestrator.historian
    assert orchestrator.registry.get_agent("proposer_001").name == "bayes"
    assert orchestrator.registry.get_agent("voter_003").role == "voter"
    with pytest.raises(NotFoundError, match="historian_01"):
        orchestrator.registry.get_agent("historian_01")


def test_what_was_never_submitted_or_lies_in_the_past_is_refused(orchestrator: MultiAgentOrchestrator) -> None:
    with pytest.raises(NotFoundError, match="p-nothing"):
        orchestrator.wait_for_training_completion(["p-nothing"], timeout=1)
    orchestrator.run_autonomous_cycle(2)
    with pytest.raises(ConfigError, match="cycle 1"):
        orchestrator.run_autonomous_cycle(1)


def test_the_history_is_exported_in_its_documented_form(orchestrator: MultiAgentOrchestrator, tmp_path: Path) -> None:
    orchestrator.run_autonomous_cycle(1)
    orchestrator.run_autonomous_cycle(2)
    told = json.loads((tmp_path / "state" / "training_history.json").read_text())
    assert told["total_experiments"] == len(told["experiments"]) > 3
    fields = {"experiment_id", "cycle_id", "status", "config", "metrics", "duration_seconds", "proposal_type"}
    assert all({*fields, "risk_level"} == set(e) for e in told["experiments"])
    assert [c["cycle_id"] for c in told["cycles"]] == [1, 2]
    for cycle in told["cycles"]:
        assert cycle["total_experiments"] == sum(e["cycle_id"] == cycle["cycle_id"] for e in told["experiments"])
        assert cycle["successful"] + cycle["failed"] <= cycle["total_experiments"]
    assert told["cycles"][0]["best_metrics_updated"] is True
    assert told["recent"] == [e["experiment_id"] for e in told["experiments"]][-10:]
    assert (tmp_path / "state" / "training_history.json").stat().st_mode & 0o077 == 0


def test_a_person_s_constraints_are_kept_by_the_council_too(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    ranges = [
        {"param": "x", "min": 0.0, "max": 0.6, "reason": "mine"},
        {"param": "y", "min": 0.0, "max": 1.0, "reason": "another campaign's", "learned": True},
        {"param": "learning_rate", "min": 0.1, "max": 1.0, "reason": "it has none"},
    ]
    (tmp_path / "state" / "constraints.json").write_text(json.dumps({"forbidden_ranges": ranges}))
    with opened(tmp_path) as orchestrator:
        answers = [orchestrator.run_autonomous_cycle(cycle) for cycle in (1, 2)]
    decisions = [decision for answer in answers for decision in answer["decisions"]]
    assert any(decision["decision"] == "accept" for decision in decisions)
    for decision in decisions:
        assert decision["config"]["x"] > 0.6 or decision["reason"] == "mine"
    told = json.loads((tmp_path / "state" / "constraints.json").read_text())["forbidden_ranges"]
    assert [entry["reason"] for entry in told if not entry.get("learned")] == ["mine", "it has none"]


def test_results_from_elsewhere_are_integrated_once(orchestrator: MultiAgentOrchestrator) -> None:
    historian = orchestrator.registry.get_agent("historian_001")
    results = [
        {"experiment_id": f"mine-{i}", "config": {"x": i / 10, "y": 0.5, "kind": "a"}, "status": status, "metrics": m}
        for i, (status, m) in enumerate([("completed", {"score": 0.4}), ("failed", {}), ("COMPLETED", {"score": 0.2})])
    ]
    answer = historian.integrate_experiment_results(results, 1)
    assert answer["status"] == "integrated"
    assert (answer["total_experiments"], answer["successful"], answer["failed"]) == (3, 2, 1)
    assert answer["best_metrics"] == {"score": 0.4}
    assert answer["best_metrics_updated"] is True
    again = historian.integrate_experiment_results(results, 1)
    assert again == answer
    later = historian.integrate_experiment_results(
        [{"experiment_id": "poor", "config": {"x": 0.5, "y": 0.1, "kind": "b"}, "status": "completed",
          "metrics": {"score": 0.1}}], 2
    )  # fmt: skip
    assert later["best_metrics_updated"] is False
    assert historian.training_history()["total_experiments"] == 4
    assert historian.get_performance_trend("score") == [0.4, 0.2, 0.1]
    assert historian.patterns() == [("kind", "a", 2 / 3), ("y", 0.5, 2 / 3)]
    assert historian.patterns(quantile=0.3) == []  # one configuration has nothing in common
    with pytest.raises(ConfigError, match="metrics"):
        historian.integrate_experiment_results([{"experiment_id": "x", "config": {}, "status": "completed"}], 1)
