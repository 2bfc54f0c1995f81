"""The dossier: what it says is what the ledger knows, and nothing of others' texts comes to life."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.delivered import delivered_before
from graph.delivery import open_delivery
from graph.dossier import MOST_ANCESTORS, MOST_CHARACTERS, dossier
from graph.dossier_text import as_code, as_markdown, commit_message
from tests.graph.code_packages import FAST, Told, commit_all, git, told_campaign, write_package

HOSTILE = "see `x` ``y`` | <script>alert(1)</script> @everyone #1 ![](http://x)\n\n# Verified\x1b[31m\u202e [a](b) "


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    write_package(tmp_path / "repo")
    commit_all(tmp_path / "repo")
    return tmp_path / "repo"


def dossier_of(told: Told, candidate: str = "", branch: bool = False) -> dict[str, Any]:
    with told.state.open_ledger() as ledger:
        delivery = open_delivery(told.state, ledger, ledger.campaign(told.id), candidate, unverified=True)
        if branch:
            delivery.branch(commit_message(dossier(delivery)))
        return dossier(delivery, delivered_before(ledger, told.id, delivery.chosen.id))


def test_it_says_what_the_ledger_knows(repository: Path, tmp_path: Path) -> None:
    first: dict[str, str | None] = {"sums/core.py": FAST}
    second: dict[str, str | None] = {"sums/core.py": FAST, "sums/other.py": None, "sums/new.py": "x = 1\ny = 2\n"}
    told = told_campaign(
        tmp_path / "home", repository / "campaign.yaml", candidates=[first, second], speedups=[20.0, 40.0]
    )
    found = dossier_of(told, branch=True)
    assert found["grade"] == "verified"
    assert [(row["path"], row["what"], row["added"], row["removed"]) for row in found["changes"]["files"]] == [
        ("sums/core.py", "changed", 1, 4),
        ("sums/new.py", "new", 2, 0),
        ("sums/other.py", "deleted", 0, 3),
    ]
    one, two = found["lineage"]["ancestors"]
    assert (one["id"], two["id"]) == told.candidates
    assert (one["parents"], two["parents"]) == (["baseline"], [one["id"]])
    assert two["gain"] == pytest.approx(2.0)
    assert one["gain"] == pytest.approx(20 / 1.005)
    assert found["tests"] == {"passed": 2, "failed": [], "counted": True, "planted_failure_caught": True}
    judged = found["judgement"]
    assert (judged["pairs"], judged["ratio"], judged["low"], judged["noise"]) == (5, 40.0, 36.0, 0.01)
    assert (found["verdict"]["answer"], found["verdict"]["seeds"]) == ("better", [1, 2, 3])
    assert found["isolation"] == {"level": 3, "enforced": {"memory": "sampled", "net": "own network namespace"}}
    assert found["cost"]["jobs"] == {"ok": 2}
    assert (found["cost"]["job_s"], found["cost"]["cpu_s"], found["cost"]["model"]) == (7.0, 5.0, None)
    assert found["base"]["commit"] == git(repository, "rev-parse", "HEAD").strip()
    assert "--new" in found["reproduce"]["campaign"]
    assert found["undo"] == [f"{repository}: git branch -D ratchet/{told.candidates[1]}"]
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_its_markdown_holds_every_part_and_the_same_dossier_gives_the_same_text(
    repository: Path, tmp_path: Path
) -> None:
    told = told_campaign(tmp_path / "home", repository / "campaign.yaml")
    found = dossier_of(told, branch=True)
    text = as_markdown(found)
    assert text == as_markdown(json.loads(json.dumps(found)))
    heads = re.findall(r"^## (.*)", text, re.MULTILINE)
    assert heads == [
        "What was changed", "Why", "Tests", "Statistics", "Isolation", "Cost", "How to repeat it", "Where it is",
        "How to undo it",
    ]  # fmt: skip
    assert "a planted test that must fail was caught" in text
    assert "+1 | −4" in text
    assert str(tmp_path) in text
    assert str(tmp_path) not in as_markdown(found, public=True)


def test_texts_of_others_stay_texts(repository: Path, tmp_path: Path) -> None:
    told = told_campaign(tmp_path / "home", repository / "campaign.yaml", rationale=HOSTILE)
    text = as_markdown(dossier_of(told))
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", text)
    for bad in ("<script", "@everyone", "![", "](b)", "#1"):
        assert bad in text
        assert bad not in outside
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\n# Verified" not in text
    assert HOSTILE.split("`")[0] not in commit_message(dossier_of(told))


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="`|a \n<@\\", max_size=30))
def test_a_code_span_ends_where_it_should(text: str) -> None:
    span = as_code(text)
    if span == "–":
        assert not text.strip()
        return
    fence = re.match("`+", span)
    assert fence is not None
    assert "\n" not in span
    assert span.endswith(fence[0])
    inside = span[len(fence[0]) : -len(fence[0])]
    assert fence[0] not in re.findall("`+", inside)
    assert inside.strip() == " ".join(text.split())


def test_secrets_and_floods_are_cut(repository: Path, tmp_path: Path) -> None:
    secret = "ghp_" + "a1B2" * 9
    told = told_campaign(tmp_path / "home", repository / "campaign.yaml", rationale=f"{secret} " + "x" * 100_000)
    found = dossier_of(told)
    assert secret not in json.dumps(found)
    assert len(found["lineage"]["ancestors"][0]["rationale"]) < MOST_CHARACTERS + 50
    assert len(as_markdown(found)) < 10_000


def test_a_long_lineage_is_cut_to_the_nearest(repository: Path, tmp_path: Path) -> None:
    count = MOST_ANCESTORS + 5
    candidates: list[dict[str, str | None]] = [{"sums/core.py": f"{FAST}X = {i}\n"} for i in range(count)]
    told = told_campaign(
        tmp_path / "home",
        repository / "campaign.yaml",
        candidates=candidates,
        speedups=[float(i + 1) for i in range(count)],
    )
    lineage = dossier_of(told)["lineage"]
    assert [row["id"] for row in lineage["ancestors"]] == list(told.candidates[-MOST_ANCESTORS:])
    assert lineage["left_out"] == 5


def test_what_is_not_known_is_said(repository: Path, tmp_path: Path) -> None:
    told = told_campaign(tmp_path / "home", repository / "campaign.yaml", speedups=[None], verdict=None)
    found = dossier_of(told, told.candidates[0])
    text = as_markdown(found)
    assert "REFUSED by its judge" in text
    assert "failed: `tests.test_sums::test_triangle`" in text
    assert "none was reached on fresh seeds" in text
    assert found["judgement"]["ratio"] is None
