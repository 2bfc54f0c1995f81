"""The API against its own description, with few examples a route; docs/api.md has the command for many."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from rest_process import TOKEN
from schemathesis import GenerationMode

from core.settings import Settings
from service.operations.desk import Asker, open_desk
from service.operations.table import OPERATIONS
from service.operations.tail import Tail
from service.rest.app import create_app

EXAMPLES = 3
FEW = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
ROUTES = [(one.method, one.path) for one in OPERATIONS]


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    # without ENABLE_TRAINING: what is valid is refused by the policy, for nothing is to be started here
    asker = Asker("token", ("owner",), capabilities=frozenset({"ENABLE_AUTONOMY"}))
    configuration = schemathesis.Config.from_path(Path(__file__).parents[2] / "schemathesis.toml")
    with open_desk(Settings(home=tmp_path_factory.mktemp("home"), embedding_model="hash"), asker) as desk:
        app = create_app(desk, Tail(desk.ledger), token=TOKEN, loopback_only=False)
        yield schemathesis.openapi.from_asgi("/openapi.json", app, config=configuration)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: " ".join(route))
def test_every_answer_is_as_described(described: Any, route: tuple[str, str]) -> None:
    method, path = route
    operation = described[path][method]
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

        @given(case=operation.as_strategy(generation_mode=mode))
        @FEW
        def validated(case: Any) -> None:
            case.call_and_validate(headers={"Authorization": f"Bearer {TOKEN}"})

        validated()
