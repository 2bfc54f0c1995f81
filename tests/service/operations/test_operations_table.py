"""The table of operations: what every door relies on, and what the document and the description say of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from core.policy import Action
from core.settings import Settings
from service.operations.desk import local_asker, open_desk
from service.operations.operation import Operation
from service.operations.table import OPERATIONS, operation, tools
from service.operations.tail import Tail
from service.rest.app import OPEN_PATHS, create_app

DOCUMENT = Path(__file__).parents[3] / "docs" / "api.md"


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    settings = Settings(home=tmp_path_factory.mktemp("home"), embedding_model="hash")
    with open_desk(settings, local_asker()) as desk:
        whole: dict[str, Any] = create_app(desk, Tail(desk.ledger), token="0123456789abcdef").openapi()
    return whole


@pytest.mark.parametrize("one", OPERATIONS, ids=lambda one: one.name)
def test_an_operation_is_whole(one: Operation) -> None:
    assert operation(one.name) is one
    assert set(re.findall(r"{(\w+)}", one.path)) <= set(one.takes.model_fields)
    assert one.summary[0].isupper()
    assert not one.summary.endswith(".")
    assert one.takes.model_json_schema()["additionalProperties"] is False
    assert (one.method == "GET") <= (not one.changes and one.action is Action.READ)
    assert one.changes == (one.action is not Action.READ)  # what needs leave does something
    assert one.paginated == ({"limit", "after"} <= set(one.takes.model_fields))
    assert one.paginated == ("next" in one.answers.model_fields)


def test_names_routes_and_tools_are_unique() -> None:
    assert len({one.name for one in OPERATIONS}) == len(OPERATIONS)
    assert len({one.route for one in OPERATIONS}) == len(OPERATIONS)
    assert len(tools()) == sum(one.tool is not None for one in OPERATIONS)


def test_the_routes_of_the_contract_are_there() -> None:
    contract = {
        "POST /admin/training/start",
        "POST /admin/training/propose-pr",
        "GET /admin/training/episodes/{run_id}",
        "GET /admin/training/episodes/{run_id}/{episode_id}",
        "GET /admin/training/runs/{run_id}/summary",
    }
    assert contract <= {one.route for one in OPERATIONS}


def test_the_description_has_security_and_every_answer(described: dict[str, Any]) -> None:
    for path, methods in described["paths"].items():
        for method, told in methods.items():
            where = f"{method.upper()} {path}"
            assert bool(told.get("security")) != (path in OPEN_PATHS), where
            answers = told["responses"]
            assert "421" in answers, where
            if path in OPEN_PATHS:
                continue
            assert {"401", "403", "503", "507"} <= set(answers), where
            for status, answer in answers.items():
                if int(status) >= 400:
                    assert list(answer["content"]) == ["application/problem+json"], where
    scheme = described["components"]["securitySchemes"]["HTTPBearer"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")


def test_the_document_has_every_route(described: dict[str, Any]) -> None:
    """A failure shows the rows to put into docs/api.md."""
    text = DOCUMENT.read_text(encoding="utf-8")
    missing = [row for row in map(document_row, OPERATIONS) if row not in text]
    assert not missing, "\n".join(missing)
    paths = set(re.findall(r"^\| `(?:GET|POST) (/[^`]*)`", text, re.MULTILINE))
    assert paths == set(described["paths"])


def document_row(one: Operation) -> str:
    return f"| `{one.route}` | {one.action} | {one.summary} |"
