"""Loading a campaign: whatever would fail later fails here, with what is wrong, where, and what to try."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_campaign import write_campaign

from core.errors import ConfigError, NotFoundError
from graph.loading import load_campaign

X = {"type": "float", "low": 0, "high": 1}
BASELINE = {"x": 0.5, "y": 0.5, "kind": "a"}


def refusal(path: Path, overrides: dict[str, Any] | None = None) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_campaign(path, overrides)
    assert str(path.parent) in caught.value.where or "council" in caught.value.where or "'" in caught.value.where
    return caught.value


def of_text(folder: Path, text: str) -> ConfigError:
    path = write_campaign(folder)
    path.write_text(text)
    return refusal(path)


def test_a_campaign_is_found_by_its_file_or_its_folder(tmp_path: Path) -> None:
    path = write_campaign(tmp_path)
    campaign = load_campaign(path)
    assert campaign == load_campaign(tmp_path)
    assert campaign.here == str(tmp_path.resolve())


@pytest.mark.parametrize(
    ("changes", "what", "hint"),
    [
        ({"budgets": {"cycles": 2}}, "unknown key 'budgets'", "'budget'"),
        ({"budget": {"cycle": 2}}, "unknown key 'budget.cycle'", "'cycles'"),
        ({"limits": {"times_s": 2}}, "unknown key 'limits.times_s'", "'time_s'"),
        ({"council": {"propsers": ["bayes"]}}, "unknown key 'council.propsers'", "'proposers'"),
        ({"early_stop": {"metric": "loss", "quantil": 0.5}}, "unknown key 'early_stop.quantil'", "'quantile'"),
        ({"space": {"x": {**X, "hihg": 2}}}, "unknown key 'x.hihg'", "'high'"),
        ({"space": {"x": {"type": "choice", "option": ["a"]}}}, "unknown key 'x.option'", "'options'"),
        ({"space": {"x": {"type": "flot"}}}, "x.type = 'flot' is not known", "'float'"),
        ({"space": {"x": {"low": 0, "high": 1}}}, "x.type is missing", "float, int, choice"),
        ({"forbidden": [{"conditons": {}}]}, "unknown key 'conditons' (and 1 more)", "'conditions'"),
        ({"council": {"voting": [{"use": "novelty", "radus": 1}]}}, "unknown parameter 'radus'", "'radius'"),
        ({"council": {"proposers": ["bayess"]}}, "there is no proposer called 'bayess'", "'bayes'"),
        ({"command": ["{pyton}", "{config}"]}, "the command has an unknown placeholder {pyton}", "'python'"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest_at_every_depth(
    tmp_path: Path, changes: dict[str, Any], what: str, hint: str
) -> None:
    path = write_campaign(tmp_path, **changes)
    with pytest.raises(ConfigError) as caught:
        load_campaign(path)
    assert caught.value.what == what
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"objective": {"goal": "maximize"}}, "objective.metric is missing"),
        ({"council": {"voting": [{"weight": 2}]}}, "council.voting.0.use is missing"),
        ({"space": {"x": {"type": "float", "low": 0}}}, "x.high is missing"),
        ({"space": {"x": {**X, "low": 2}}}, "low must be below high"),
        ({"space": {}}, "space = {}"),
        ({"baseline": {**BASELINE, "x": 5}}, "baseline: x = 5 is not allowed"),
        ({"baseline": {**BASELINE, "kind": "c"}}, "baseline: kind = 'c' is not allowed"),
        ({"baseline": {"x": 0.5, "y": 0.5}}, "baseline: parameter kind is missing"),
        ({"baseline": {**BASELINE, "z": 1}}, "baseline: unknown parameter 'z'"),
        ({"space": {"seed": X}, "baseline": {"seed": 0.5}}, "a parameter cannot be called 'seed'"),
        ({"council": {"proposers": ["rolez.py:mine"]}}, "there is no file rolez.py"),
        ({"council": {"proposers": ["no_such_package:mine"]}}, "cannot import 'no_such_package'"),
        ({"council": {"proposers": [{"use": "bayes", "n": "x"}]}}, "n = 'x': Input should be a valid integer"),
        ({"council": {"voting": []}}, "name at least one"),
        ({"command": "python train.py"}, "write the command as a list"),
        ({"command": ["{python}", "{here}/trian.py"]}, "there is no file trian.py"),
        ({"patterns": {"score": "(a"}}, "not a regular expression"),
        ({"patterns": {"score": "a"}}, "has 0 groups"),
        ({"environment": {"A=B": "c"}}, "no process can be given"),
        ({"until": "score ~ 5"}, "is not a target"),
        ({"limits": {"time_s": "soon"}}, "'soon' is not a duration"),
        ({"schema": 7}, "schema 7 is not known"),
        ({"name": "../elsewhere"}, "name = '../elsewhere'"),
    ],
)
def test_what_would_fail_later_fails_now(tmp_path: Path, changes: dict[str, Any], what: str) -> None:
    assert what in refusal(write_campaign(tmp_path, **changes)).what


@pytest.mark.parametrize(
    ("text", "what", "line"),
    [
        ("name: tiny\ncommand: [a\nobjective: {", "this is not YAML", "line 3"),
        ("name: tiny\n\tcommand: a", "cannot start any token", "line 2"),
        ("a: &x [1]\nb: *x\n", "aliases (*name) are not read", "line 2"),
        ("name: a\nseed: 1\nname: b\n", "the key 'name' stands twice", "line 3"),
        ("budget: {cycles: 1,\n cycles: 2}\n", "the key 'cycles' stands twice", "line 2"),
        ("name: a\n? [a, b]\n: c\n", "a key is a word", "line 2"),
        ('name: !!python/object/apply:os.system ["true"]\n', "could not determine a constructor", "line 1"),
    ],
)
def test_what_is_not_yaml_is_refused_with_its_line(tmp_path: Path, text: str, what: str, line: str) -> None:
    refused = of_text(tmp_path, text)
    assert what in refused.what
    assert refused.where.endswith(line)


@pytest.mark.parametrize("text", ["", "- a\n", "just words\n"])
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    assert of_text(tmp_path, text).what == "a campaign is a mapping of keys"


def bomb() -> str:
    return "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (bomb, "aliases (*name) are not read"),
        (lambda: "a: " + "[" * 50_000, "nested too deeply"),
        (lambda: "#" * 1_000_001, "the file has 1,000,001 bytes, a campaign has at most 1,000,000"),
    ],
)
def test_what_is_meant_to_choke_the_reader_is_refused_early(tmp_path: Path, make: Callable[[], str], what: str) -> None:
    assert what in of_text(tmp_path, make()).what


def test_a_file_that_is_not_there_or_not_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        load_campaign(tmp_path / "campain.yaml")
    assert caught.value.where == str(tmp_path / "campain.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    assert "cannot read the campaign" in refusal(tmp_path / "binary.yaml").what


def test_overrides_go_in_by_dotted_key_as_they_are(tmp_path: Path) -> None:
    path = write_campaign(tmp_path)
    overrides = {"limits.time_s": "30m", "budget.cycles": 7, "space.x.high": 2.0, "description": "a: b: c", "seed": 9}
    campaign = load_campaign(path, overrides)
    assert (campaign.limits.time_s, campaign.budget.cycles, campaign.description) == (1800.0, 7, "a: b: c")
    assert (campaign.space["x"]["high"], campaign.space["x"]["low"], campaign.seed) == (2.0, 0, 9)
    assert load_campaign(path).seed == 0


@pytest.mark.parametrize(
    ("key", "what"),
    [
        ("limits.tim_s", "unknown key 'limits.tim_s'"),
        ("name.x", "cannot set name.x: name is not a mapping"),
        ("", "unknown key ''"),
    ],
)
def test_an_override_that_fits_nowhere_is_refused(tmp_path: Path, key: str, what: str) -> None:
    assert refusal(write_campaign(tmp_path), {key: 1}).what == what
