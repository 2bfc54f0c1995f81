"""Campaigns of kind live: what they must say, and what may differ from cycle to cycle."""

from typing import Any

import pytest
from pydantic import ValidationError

from core.campaign import Campaign

LIVE: dict[str, Any] = {
    "files": ["shop/*.py"],
    "start": ["{python}", "-m", "shop", "--port", "{port}"],
    "telemetry": [{"jsonl": "{telemetry}"}],
    "tests": ["{python}", "-m", "pytest"],
}


def campaign(**live: Any) -> Campaign:
    return Campaign(name="shop", kind="live", live={**LIVE, **live})


def test_it_has_a_council_of_its_own_and_survives_json() -> None:
    made = campaign()
    assert [use.use for use in made.council.proposers] == ["improver"]
    assert made.council.executor.use == "deployer"
    assert Campaign.model_validate_json(made.model_dump_json()) == made


def test_window_number_and_trigger_are_of_one_cycle() -> None:
    same = [campaign(window_hours=168), campaign(max_improvements=1), campaign(trigger="alarm")]
    assert {one.fingerprint() for one in same} == {campaign().fingerprint()}
    assert campaign(preset="aggressive").fingerprint() != campaign().fingerprint()


@pytest.mark.parametrize(
    ("live", "why"),
    [
        ({"telemetry": []}, "at least 1"),
        ({"telemetry": [{"jsonl": "a", "prometheus": "http://x"}]}, "name one of"),
        ({"telemetry": [{}]}, "name one of"),
        ({"start": []}, "name the `url`"),
        ({"start": [], "url": "http://127.0.0.1:8000"}, "the `folder`"),
        ({"tests": "pytest"}, "as a list"),
        ({"listen_s": "soon"}, "not a duration"),
        ({"trigger": "wish"}, "Input should be"),
    ],
)
def test_what_is_missing_is_said(live: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        campaign(**live)


def test_a_live_campaign_has_no_command_and_others_have_no_service() -> None:
    with pytest.raises(ValidationError, match="has no command"):
        Campaign(name="shop", kind="live", live=LIVE, command=["true"])
    with pytest.raises(ValidationError, match="says under `live`"):
        Campaign(name="shop", kind="live")
    with pytest.raises(ValidationError, match="belongs to a campaign of `kind: live`"):
        Campaign(
            name="shop",
            live=LIVE,
            command=["true"],
            objective={"metric": "auc"},
            space={"x": {"type": "float", "low": 0, "high": 1}},
            baseline={"x": 0.5},
        )


def test_what_improvements_never_touch() -> None:
    plan = campaign(never=["tests", "shop/secret.py"]).live
    assert plan is not None
    assert plan.is_kept("tests/test_a.py")
    assert plan.is_kept("shop/secret.py")
    assert not plan.is_kept("shop/tests.py")
