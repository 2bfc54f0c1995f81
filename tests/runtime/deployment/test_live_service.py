"""Going live and back in a real running service, while requests run."""

from __future__ import annotations

from core.deployment import DeploymentState
from runtime.deployment import LiveService
from tests.runtime.deployment.running_service import YES, Requests, Service, release


def test_a_change_goes_live_and_back_without_a_failed_request(service: Service) -> None:
    told: list[DeploymentState] = []
    alerts: list[DeploymentState] = []
    live = LiveService(service.target(), record=told.append, alert=alerts.append)
    with Requests(service) as requests:
        deployment = live.plan(release(2))
        state = live.deploy(deployment, release(2), leave=YES)
        assert state.stage == "watching"
        assert service.ask() == 2
        back = live.roll_back(deployment.id, reason="to see it")
        assert service.ask() == 1
    assert not requests.failures
    assert set(requests.answers) <= {1, 2}
    assert (back.stage, back.health and back.health.answer) == ("rolled_back", "healthy")
    assert back.rollback_s is not None
    assert [s.stage for s in told] == [
        "planned", "stored", "switched", "reloaded", "watching", "rolling_back", "restored", "rolled_back",
    ]  # fmt: skip
    assert [s.deployment.id for s in alerts] == [deployment.id]
