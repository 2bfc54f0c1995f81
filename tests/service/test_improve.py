"""`improve`: a real service under real load, killed while its fix is watched; then a planted regression is caught."""

import json
import signal
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from command_line import ROOT, Cli, Running, call_process

CAMPAIGN = "campaigns/slow_service/campaign.yaml"
SHORT = (
    "live.listen_s=6",
    "live.max_improvements=1",
    "live.settings={monitoring_duration_s: 20, monitoring_interval_s: 0.5, stream_interval_s: 0.5}",
)


pytestmark = [pytest.mark.timeout(420), pytest.mark.xdist_group("improve")]
PATIENCE_S = 300
"""Against hangs only: the checks of a draft take a minute where the machine is busy."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The end of a run that was killed (-9) while its first improvement was watched, and gone on with."""
    home = tmp_path_factory.mktemp("improve") / "home"
    shorter = [word for key in SHORT for word in ("--set", key)]
    first = Running("improve", ROOT / CAMPAIGN, "--plant-regression", "--json-stream", *shorter, home=home)
    deployed = json.loads(first.wait_for("out", '"ImprovementDeployed"'))
    first.send(signal.SIGKILL)
    first.wait()
    service = json.loads((home / "services" / "slow-service-1" / "service.json").read_text())
    with urllib.request.urlopen(f"http://127.0.0.1:{service['facts']['port']}/health") as answer:
        alive = answer.status == 200
    ended = call_process("resume", "--json", home=home, deadline_s=PATIENCE_S)
    assert ended.code == 0, ended.err
    types = {json.loads(line)["type"] for line in first.lines["out"]}
    more = {"types": types, "deployed": deployed, "alive": alive, "home": home, "pid": service["identity"][0]}
    return {**ended.json, **more}


@pytest.mark.slow
def test_opportunities_come_from_telemetry_and_their_fix_goes_live_after_all_checks(told: dict[str, Any]) -> None:
    wanted = {"OpportunityFound", "ProposalMade", "ProposalSharpened", "ImprovementValidated", "ProposalRuled"}
    assert wanted <= told["types"]
    first = told["cycles"][0]
    assert first["opportunities"]
    assert first["deployed"] == 1
    live = next(one for one in first["assessments"] if one["deployment_id"])
    assert live["baseline"]["p95_s"] > 0
    assert live["final"]["p95_s"] > 0
    assert live["latency_reduction_low_percent"] <= live["latency_reduction_high_percent"]


@pytest.mark.slow
def test_a_kill_while_it_is_watched_loses_neither_the_service_nor_the_watch(told: dict[str, Any]) -> None:
    assert told["alive"]
    assert [cycle["cycle"] for cycle in told["cycles"]] == [1, 2]
    assert told["cycles"][0]["assessments"][0]["deployment_id"] == told["deployed"]["deployment_id"]


@pytest.mark.slow
def test_what_was_planted_is_caught_and_taken_back_and_no_request_failed(told: dict[str, Any]) -> None:
    (planted,) = [one for one in told["cycles"][1]["assessments"] if one["opportunity_id"] == "planted"]
    assert planted["status"] == "rolled_back"
    assert planted["rollback_seconds"] is not None
    assert told["load"]["requests"] > 100
    assert told["load"]["failed"] == 0
    report = Path(told["report"])
    assert "planted" in report.read_text()
    assert report.with_suffix(".json").exists()


@pytest.mark.slow
def test_nothing_of_it_runs_on_and_the_files_of_the_user_are_as_they_were(told: dict[str, Any]) -> None:
    assert not _works(told["pid"])
    live = told["home"] / "services" / "slow-service-1" / "live" / "releases"
    own = (ROOT / "campaigns/slow_service/service/shop/work.py").read_text()
    assert {(tree / "tree/shop/work.py").read_text() for tree in live.iterdir() if tree.is_dir()} == {own}


def _works(pid: int) -> bool:
    """Whether the process is there, and no zombie that nobody has waited for yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_a_dry_run_says_what_would_happen(cli: Cli, tmp_path: Path) -> None:
    told = cli("improve", ROOT / CAMPAIGN, "--dry-run", "--json", home=tmp_path / "home")
    assert told.code == 0
    assert told.json["settings"]["rollback_threshold"] == 0.1
    assert told.json["watch"]["duration_s"] == 8


def test_what_is_no_live_service_and_what_is_switched_off_are_said(cli: Cli, tmp_path: Path) -> None:
    other = cli("improve", ROOT / "campaigns/breast_cancer", home=tmp_path / "home")
    assert (other.code, "of kind experiment" in other.err) == (2, True)
    off = cli("improve", ROOT / CAMPAIGN, "--set", "live.settings={enabled: false}", home=tmp_path / "home")
    assert (off.code, "switched off" in off.err) == (3, True)


def test_another_definition_starts_from_the_files_and_says_so(cli: Cli, tmp_path: Path) -> None:
    ends = ("--set", 'live.start=["{python}", "-c", ""]', "--set", "live.load=[]")
    first = cli("improve", ROOT / CAMPAIGN, *ends, home=tmp_path / "home")
    assert (first.code, "starts from your files" in first.err) == (4, False)
    again = cli("improve", ROOT / CAMPAIGN, *ends, home=tmp_path / "home")
    assert "going on with slow-service-1" in again.err
    other = cli("improve", ROOT / CAMPAIGN, *ends, "--set", "live.listen_s=7", home=tmp_path / "home")
    assert "slow-service-2 starts from your files: what slow-service-1 keeps live is not in them" in other.err
