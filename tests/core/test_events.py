"""What tells events from one another: the fields that they name, and what a crash makes twice."""

from __future__ import annotations

from typing import get_args

import pytest
from pydantic import BaseModel

import core.events
from core.events import AnyEvent, CampaignResumed, Event, GuidanceUsed, ModelCalled

EVENTS: tuple[type[Event], ...] = get_args(get_args(AnyEvent)[0])


@pytest.mark.parametrize("event", EVENTS, ids=lambda one: one.__name__)
def test_an_event_is_about_fields_that_it_has(event: type[Event]) -> None:
    for path in event.about:
        holder: object = event
        for name in path.split("."):
            assert isinstance(holder, type), f"{path} goes into what is no record"
            assert issubclass(holder, BaseModel)
            holder = holder.model_fields[name].annotation


def test_every_event_can_be_read_back() -> None:
    named = {one for name in core.events.__all__ if isinstance(one := getattr(core.events, name), type)}

    assert {one for one in named if issubclass(one, Event)} == {Event, *EVENTS}


def test_a_key_says_type_cycle_and_what_it_is_about() -> None:
    used = GuidanceUsed(campaign_id="c", cycle=3, guidance_id="g-1", node="voter")
    resumed = CampaignResumed(campaign_id="c", session=2)
    called = ModelCalled(
        campaign_id="c", cycle=1, call="h", role="voter", seat="s", prompt="p", edition="1", model_id="m", error="down"
    )

    assert used.key == "GuidanceUsed:3:g-1:voter"
    assert resumed.key == "CampaignResumed:0:2"
    assert called.key == "ModelCalled:1:voter:s:h:failed"
