"""Going live and back in a real running service, while requests run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.deployment import Deployment, DeploymentState
from core.errors import ApprovalNeededError, BusyError, DeniedError, DeploymentError, RatchetError, StorageError
from core.policy import Action
from runtime.deployment import LiveService, read_routes
from runtime.deployment.journal import Journal
from tests.runtime.deployment.running_service import YES, Requests, Service, release


def live_service(service: Service, **fields: Any) -> LiveService:
    return LiveService(service.target(**fields))


def put(live: LiveService, number: int, **fields: Any) -> DeploymentState:
    return live.deploy(live.plan(release(number), **fields), release(number), leave=YES)


def test_a_change_goes_live_and_back_without_a_failed_request(service: Service) -> None:
    told: list[DeploymentState] = []
    alerts: list[DeploymentState] = []
    live = LiveService(service.target(), record=told.append, alert=alerts.append)
    with Requests(service) as requests:
        state = put(live, 2)
        assert state.stage == "watching"
        assert service.ask() == 2
        back = live.roll_back(state.deployment.id, reason="to see it")
        assert service.ask() == 1
    assert not requests.failures
    assert set(requests.answers) <= {1, 2}
    assert (back.stage, back.health and back.health.answer) == ("rolled_back", "healthy")
    assert back.rollback_s is not None
    assert [s.stage for s in told] == [
        "planned", "stored", "switched", "reloaded", "watching", "rolling_back", "restored", "rolled_back",
    ]  # fmt: skip
    assert [s.deployment.id for s in alerts] == [state.deployment.id]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"first.py": "import no_such_module\n"}, "no_such_module"),
        (release(2, sick=True), "status 500"),
        ({"first.py": None}, "No module named"),
    ],
)
def test_what_does_not_load_or_is_not_healthy_is_taken_back(
    service: Service, changes: dict[str, str | None], why: str
) -> None:
    live = live_service(service)
    with Requests(service) as requests:
        state = live.deploy(live.plan(changes), changes, leave=YES)
    assert state.stage == "rolled_back"
    assert why in state.reason
    assert set(requests.answers) <= ({1, 2} if "500" in why else {1})  # this one loads, and is seen to be sick later
    assert not requests.failures
    assert service.ask() == 1


def test_a_canary_gets_a_share_then_all_and_is_kept(service: Service) -> None:
    live = live_service(service, canary_share=0.25)
    with Requests(service) as requests:
        state = put(live, 2)
        assert (state.stage, state.share) == ("watching", 0.25)
        answers = [service.ask() for _ in range(80)]
        assert 10 <= answers.count(2) <= 30
        with pytest.raises(DeploymentError, match="canary"):
            live.keep(state.deployment.id)
        assert live.promote(state.deployment.id).share == 1.0
        assert service.ask() == 2
        assert live.keep(state.deployment.id).stage == "kept"
        assert live.roll_back(state.deployment.id, reason="a person says so").stage == "rolled_back"
        assert service.ask() == 1
    assert not requests.failures


def test_a_canary_that_is_taken_back_leaves_no_share(service: Service) -> None:
    live = live_service(service, canary_share=0.5)
    state = put(live, 2)
    live.roll_back(state.deployment.id, reason="to see it")
    assert {service.ask() for _ in range(20)} == {1}


def test_a_tenant_gets_the_new_version_and_no_other(service: Service) -> None:
    live = live_service(service, routes_tenants=True)
    state = put(live, 2, tenant="acme")
    assert (service.ask("tenant=acme"), service.ask("tenant=umbrella"), service.ask()) == (2, 1, 1)
    live.keep(state.deployment.id)
    third = put(live, 3, tenant="acme")
    assert service.ask("tenant=acme") == 3
    live.roll_back(third.deployment.id, reason="to see it")
    assert service.ask("tenant=acme") == 2

    everybody = put(live, 2, scope="system", approval_id="a-1")
    assert (service.ask("tenant=acme"), service.ask()) == (2, 2)
    live.keep(everybody.deployment.id)
    assert read_routes(service.folder).tenants == {}  # acme has what everybody has


def test_nothing_is_done_without_leave(service: Service) -> None:
    live = live_service(service)
    before = tree_of(service.folder)
    plan = live.plan(release(2))
    for answer, error in (("denied", DeniedError), ("ask", ApprovalNeededError)):
        with pytest.raises(error):
            live.deploy(plan, release(2), leave=YES.model_copy(update={"answer": answer}))
    with pytest.raises(DeniedError):
        live.deploy(plan, release(2), leave=YES.model_copy(update={"action": Action.READ}))
    with pytest.raises(ApprovalNeededError):
        live.deploy(live.plan(release(2), scope="system"), release(2), leave=YES)
    with pytest.raises(DeniedError, match="route by tenant"):
        live.plan(release(2), tenant="umbrella")
    assert tree_of(service.folder) == before


@pytest.mark.parametrize(
    "path",
    ["README.md", "../outside.py", "inner/../README.md", "/tmp/x.py", "inner/.git/hooks", "a\\b.py", "./first.py", ""],
)
def test_a_path_that_may_not_be_changed_is_refused(service: Service, path: str) -> None:
    live = live_service(service)
    before = tree_of(service.folder.parent)
    with pytest.raises(DeniedError):
        live.plan({"first.py": "X = 1\n", path: "X = 1\n"})
    forged = Deployment.make(service="small", previous=live.releases.current(), digest="0" * 64, paths=(path,))
    with pytest.raises(DeniedError):
        live.deploy(forged, {path: "X = 1\n"}, leave=YES)
    assert tree_of(service.folder.parent) == before


def test_a_deployment_is_made_once_and_one_at_a_time(service: Service) -> None:
    live = live_service(service)
    plan, other = live.plan(release(2)), live.plan(release(3))
    first = live.deploy(plan, release(2), leave=YES, fence=2)
    assert live.deploy(plan, release(2), leave=YES, fence=2) == first
    with pytest.raises(BusyError, match="taken over"):
        live.deploy(plan, release(2), leave=YES, fence=1)
    with pytest.raises(BusyError, match="under way"):
        live.deploy(other, release(3), leave=YES)
    live.keep(plan.id)
    with pytest.raises(DeploymentError, match="gone on"):
        live.deploy(other, release(3), leave=YES)
    with pytest.raises(DeploymentError, match="not those of the plan"):
        live.deploy(live.plan(release(3)), release(4), leave=YES)
    later = put(live, 3)
    live.keep(later.deployment.id)
    with pytest.raises(DeploymentError, match="another version"):
        live.roll_back(plan.id, reason="too late")
    with Journal(service.folder).owned(), pytest.raises(BusyError, match="another process"):
        live.roll_back(later.deployment.id, reason="while another is at it")


def test_one_that_was_rolled_back_is_tried_anew(service: Service) -> None:
    live = live_service(service)
    state = put(live, 2)
    live.roll_back(state.deployment.id, reason="to see it")
    again = put(live, 2)
    assert (again.deployment.id, again.stage, again.attempt) == (state.deployment.id, "watching", 2)


def test_a_damaged_back_up_is_not_put_live(service: Service) -> None:
    alerts: list[DeploymentState] = []
    live = LiveService(service.target(), alert=alerts.append)
    state = put(live, 2)
    (live.releases.tree(state.deployment.previous) / "first.py").write_text("NUMBER = 666\n")
    with pytest.raises(StorageError, match=r"first\.py"):
        live.roll_back(state.deployment.id, reason="worse")
    assert service.ask() == 2
    assert "NOT put back" in alerts[0].reason


def test_a_step_that_is_not_recorded_is_not_taken_but_the_way_back_is(service: Service) -> None:
    def away(state: DeploymentState) -> None:
        if state.stage in ("switched", "rolling_back"):
            raise StorageError("the ledger is away")

    def loud(_: DeploymentState) -> None:
        raise OSError("no network")

    live = LiveService(service.target(), record=away, alert=loud)
    with pytest.raises(StorageError):
        put(live, 2)
    assert service.ask() == 1
    assert [state.stage for state in live.recover()] == ["undone"]
    state = put(live_service(service), 2)
    live = LiveService(service.target(), record=away, alert=loud)
    back = live.roll_back(state.deployment.id, reason="worse")
    assert back.stage == "rolled_back"
    assert "the ledger is away" in back.reason
    assert "no network" in back.reason
    assert service.ask() == 1


def test_a_rollback_while_the_service_is_down_is_finished_at_the_next_start(service: Service, tmp_path: Path) -> None:
    live = live_service(service, reload={"kind": "reloader", "timeout_s": 0.1})
    state = put(live, 2)
    service.stop()
    back = live.roll_back(state.deployment.id, reason="it is down")
    assert (back.stage, back.finished) == ("restored", False)
    again = Service(service.folder, tmp_path / "again")
    try:
        assert again.ask() == 1
        (recovered,) = live_service(again).recover()
        assert recovered.stage == "rolled_back"
        assert recovered.reason == "it is down"
    finally:
        again.stop()


def test_what_a_person_put_live_meanwhile_stays(service: Service) -> None:
    live = live_service(service)
    state = put(live, 2)
    by_hand = live.releases.store(state.deployment.digest, release(7))
    live.releases.switch(by_hand)
    assert [state.stage for state in live.recover()] == ["undone"]
    assert live.reload().ok
    assert service.ask() == 7


def test_old_releases_go_and_needed_ones_stay(service: Service) -> None:
    live = live_service(service, kept_releases=1)
    for number in (2, 3, 4, 5):
        state = put(live, number)
        live.keep(state.deployment.id)
    assert len(live.releases.all()) == 3  # the live one, the one before, and one more
    assert live.roll_back(state.deployment.id, reason="to see it").stage == "rolled_back"
    assert service.ask() == 4


def test_every_error_says_what_to_do(service: Service) -> None:
    live = live_service(service)
    with pytest.raises(RatchetError) as caught:
        live.plan({"README.md": "x"})
    assert "allowed: *.py, inner/**" in str(caught.value)
    with pytest.raises(DeploymentError, match="as it is"):
        live.deploy(plan := live.plan(release(1)), release(1), leave=YES)
    assert live.state(plan.id).stage == "undone"


def tree_of(folder: Path) -> dict[str, object]:
    """Everything below the folder, but what the running process writes."""
    return {
        str(path.relative_to(folder)): path.readlink() if path.is_symlink() else path.is_file() and path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if not {"control", "__pycache__"} & set(path.parts)
    }
