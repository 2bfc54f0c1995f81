"""The report: one file that needs nothing else, the same for the same history, with nothing unescaped in it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from command_line import CAMPAIGN, Cli, Finished, write_campaign

pytestmark = pytest.mark.xdist_group("service")

OBJECTIVES = """objectives: [{metric: accuracy}, {metric: cost, goal: minimize}]
sealed: {command: ["{python}", "{here}/sealed.py", "{config}"], metric: held_out}"""
COSTLY = """
import json, sys
config = json.load(open(sys.argv[1]))
print(json.dumps({"accuracy": 1 - (config["x"] - 0.3) ** 2, "cost": 1 - config["x"]}))
"""
VOID = {"meta", "line", "path", "rect", "polyline", "br"}


class Page(HTMLParser):
    """Tags, attributes and text; complains about what is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert not self._open, self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "action", "data", "srcset"):
                self.links.append(value or "")
            if name == "id":
                self.ids.add(value or "")
            assert not name.startswith("on")
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture
def report(finished: Finished, cli: Cli, tmp_path: Path) -> str:
    path = tmp_path / "report.html"
    assert cli("report", "tiny-1", "--out", path, home=finished.home).code == 0
    return path.read_text()


def test_it_needs_nothing_from_elsewhere(report: str) -> None:
    page = Page(report)
    assert not {"script", "link", "iframe", "object", "embed", "img", "base", "form"} & set(page.tags)
    assert page.links
    assert all(link.startswith("#") for link in page.links)
    assert {link[1:] for link in page.links} <= page.ids
    assert "default-src 'none'" in report
    assert not re.search(r"url\(|@import|https?://", report)


def test_it_is_the_same_for_the_same_history(finished: Finished, report: str) -> None:
    written_by_run = Path(finished.result["report"]).read_text()
    assert written_by_run == report


def test_it_shows_what_was_measured(finished: Finished, report: str, cli: Cli) -> None:
    text = " ".join(Page(report).text)
    told = finished.result
    assert "Better than the baseline" in text
    for trial in cli("history", "tiny-1", "--json", home=finished.home).json["trials"]:
        assert f'id="{trial["proposal"]}"' in report
    for heading in ("Best so far", "Cycles", "Every proposal", "Who was right", "Lessons", "Memory used", "Repeat it"):
        assert heading in text
    assert f"{told['best']['metrics']['accuracy']:.5g}" in text
    assert 'class="control"' in report
    assert 'class="band"' in report
    assert "--seed 0" in text
    for lesson in told["lessons"]:
        assert lesson in text
    calibration = told["calibration"]["score"]
    assert f"the 90% interval held {calibration['covered']:.0%} of {calibration['n']} outcomes" in text


def test_it_shows_every_arm_the_front_and_the_sealed_evaluation(cli: Cli, tmp_path: Path) -> None:
    several = CAMPAIGN.replace("objective: {metric: accuracy}", OBJECTIVES).replace("[random]", "[random, tpe]")
    folder = write_campaign(tmp_path / "tiny", several.replace("cycles: 3", "cycles: 2"), COSTLY)
    (folder / "sealed.py").write_text("print('{\"held_out\": 0.875}')")
    file = (folder / "campaign.yaml").rename(folder / "arms.yaml")
    ran = cli("run", file, "--report", tmp_path / "r.html", home=tmp_path / "home")
    assert ran.code == 0
    told = cli("show", "tiny-1", "--json", home=tmp_path / "home").json
    page = (tmp_path / "r.html").read_text()
    text = " ".join(Page(page).text)
    assert page.count('<path class="control') == len(told["control"]) == 2
    assert "tpe search, best so far" in text
    assert f"run_graph.py run {file} --new" in text
    assert told["pareto"]
    assert all(point["proposal"] in text for point in told["pareto"])
    assert all(point["proposal"] in ran.out.split("not beaten in every objective:")[1] for point in told["pareto"])
    for shown in (text, ran.out):
        assert "held_out 0.875" in shown


def test_text_of_others_is_escaped(finished: Finished, report: str) -> None:
    assert "<script>" not in report
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in report
    assert "\x1b" not in report
    if finished.result["jobs"]["failed"]:
        assert "&lt;b&gt;at once&lt;/b&gt;" in report


def test_the_campaign_in_it_runs_again(finished: Finished, report: str, cli: Cli, tmp_path: Path) -> None:
    definition = "".join(Page(report).text).split("The campaign as it was run")[1].split("Ratchet")[0]
    again = tmp_path / "again"
    again.mkdir()
    (again / "campaign.yaml").write_text(definition)
    (again / "train.py").write_text((finished.folder / "train.py").read_text())
    assert cli("run", again, "--dry-run").code == 0


def test_a_campaign_without_a_result_has_a_report_too(cli: Cli, tiny: Path, tmp_path: Path) -> None:
    (tiny / "train.py").write_text("raise SystemExit('<b>no</b>')")
    home = tmp_path / "home"
    assert cli("run", tiny, "-q", home=home).code == 1
    assert cli("report", "--out", tmp_path / "r.html", home=home).code == 0
    page = Page((tmp_path / "r.html").read_text())
    assert "No result" in " ".join(page.text)
    assert "<b>no</b>" in " ".join(page.text)
    assert "crashed" in " ".join(page.text)
