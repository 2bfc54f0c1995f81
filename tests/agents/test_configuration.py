"""Configurations of experiments, by the vision preset, on real files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from agents.executors.configuration import (
    ConfigValidationError,
    ExperimentConfigGenerator,
    get_config_generator,
    load_schema,
    schema_of,
)
from agents.executors.constraints_file import read_constraints, write_learned
from agents.testing.cases import example_campaign
from core.errors import ConfigError, NotFoundError
from core.records import Proposal
from search.constraints import Condition, Region


@pytest.fixture
def generator(tmp_path: Path) -> ExperimentConfigGenerator:
    environment = {
        "ARC_MEMORY_DIR": str(tmp_path / "memory"),
        "ARC_EXPERIMENTS_DIR": str(tmp_path / "experiments"),
        "HOME": str(tmp_path),
    }
    return get_config_generator(environment=environment)


def proposal(**changes: Any) -> dict[str, Any]:
    return {"experiment_id": "exp_001", "type": "hyperparameter_tuning", "changes": changes}


def test_both_files_hold_baseline_and_changes_for_the_owner_only(
    generator: ExperimentConfigGenerator, tmp_path: Path
) -> None:
    config = generator.generate_config("exp_001", proposal(learning_rate=3e-4, augmentations=["crop", "flip"]))
    assert config["learning_rate"] == 3e-4
    assert config["augmentations"] == ["flip", "crop"]
    assert config["model"] == generator.get_baseline_config()["model"]
    folder = tmp_path / "experiments" / "exp_001"
    assert json.loads((folder / "config.json").read_text()) == config
    assert yaml.safe_load((folder / "config.yaml").read_text()) == config
    for path in (folder, folder / "config.json", folder / "config.yaml"):
        assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("changes", "parameter", "allowed"),
    [
        ({"learning_rate": 2.0}, "learning_rate", "[1e-06, 1]"),
        ({"learning_rate": "fast"}, "learning_rate", "a number"),
        ({"learning_rate": float("nan")}, "learning_rate", "a number"),
        ({"model": "alexnet"}, "model", "efficientnet_b3"),
        ({"batch_size": 0}, "batch_size", "[1, 512]"),
        ({"batch_size": 2.5}, "batch_size", "whole number"),
        ({"augmentations": ["flip", "blur"]}, "augmentations", "rotate"),
        ({"augmentations": "flip"}, "augmentations", "a list"),
        ({"train_split": 0.9}, "train_split, val_split", "train_split + val_split == 1.0"),
        ({"momentum": 0.5}, "momentum", "optimizer in ['sgd', 'rmsprop']"),
        ({"learnin_rate": 0.1}, "learnin_rate", "learning_rate"),
    ],
)
def test_what_is_not_allowed_is_named_with_its_value_and_range(
    generator: ExperimentConfigGenerator, tmp_path: Path, changes: dict[str, Any], parameter: str, allowed: str
) -> None:
    with pytest.raises(ConfigValidationError) as told:
        generator.generate_config("exp_001", proposal(**changes))
    assert told.value.parameter == parameter
    assert allowed in told.value.allowed
    assert allowed in str(told.value)
    assert isinstance(told.value, ConfigError)
    name = next(iter(changes))
    assert repr(changes[name]) in str(told.value)
    assert not (tmp_path / "experiments" / "exp_001").exists()


def test_without_validation_anything_is_written(generator: ExperimentConfigGenerator) -> None:
    assert generator.generate_config("exp_001", proposal(learning_rate=2.0), validate=False)["learning_rate"] == 2.0


def test_a_changed_parent_brings_its_children_and_drops_them(generator: ExperimentConfigGenerator) -> None:
    assert generator.generate_config("a", proposal(optimizer="sgd"))["momentum"] == 0.9
    generator.update_baseline({**generator.get_baseline_config(), "optimizer": "sgd", "momentum": 0.8})
    assert "momentum" not in generator.generate_config("b", proposal(optimizer="adam"))
    assert generator.generate_config("c", proposal())["momentum"] == 0.8


def test_the_baseline_is_what_last_succeeded(generator: ExperimentConfigGenerator) -> None:
    better = generator.generate_config("exp_001", proposal(learning_rate=3e-4, train_split=0.7, val_split=0.3))
    generator.update_baseline(better)
    assert generator.get_baseline_config() == better
    assert generator.generate_config("exp_002", proposal(dropout=0.1)) == {**better, "dropout": 0.1}
    with pytest.raises(ConfigValidationError):
        generator.update_baseline({**better, "learning_rate": 5.0})
    assert generator.get_baseline_config() == better


def test_forbidden_ranges_refuse_with_their_reason(generator: ExperimentConfigGenerator) -> None:
    generator.constraints_path.parent.mkdir(parents=True)
    ranges = [{"param": "learning_rate", "min": 0.1, "max": 1.0, "reason": "it diverges"}]
    generator.constraints_path.write_text(json.dumps({"forbidden_ranges": ranges}))
    with pytest.raises(ConfigValidationError, match=r"learning_rate = 0.5.*it diverges"):
        generator.generate_config("exp_001", proposal(learning_rate=0.5))
    assert generator.generate_config("exp_001", proposal(learning_rate=0.05))


def test_learned_constraints_stand_beside_a_persons_and_can_be_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "constraints.json"
    mine = {"param": "learning_rate", "min": 0.5, "max": None, "reason": "mine"}
    path.write_text(json.dumps({"forbidden_ranges": [mine]}))
    learned = [
        Region(conditions={"batch_size": Condition(low=256)}, reason="out of memory", evidence=("p-1", "p-2")),
        Region(
            conditions={"model": Condition(options=("vit_base",)), "batch_size": Condition(low=64)}, reason="as well"
        ),
    ]
    write_learned(path, learned)
    told = json.loads(path.read_text())
    assert told["forbidden_ranges"][0] == mine
    assert told["forbidden_ranges"][1]["param"] == "batch_size"
    assert [r.reason for r in read_constraints(path)] == ["mine", "out of memory", "as well"]
    assert read_constraints(path)[1].evidence == ("p-1", "p-2")
    write_learned(path, [])
    assert [r.reason for r in read_constraints(path)] == ["mine"]


@pytest.mark.parametrize("text", ["{", "[]", '{"forbidden_ranges": [{"min": 1}]}', '{"forbidden_ranges": 3}'])
def test_constraints_that_cannot_be_read_are_one_clear_error(generator: ExperimentConfigGenerator, text: str) -> None:
    generator.constraints_path.parent.mkdir(parents=True)
    generator.constraints_path.write_text(text)
    with pytest.raises(ConfigError, match="constraints"):
        generator.generate_config("exp_001", proposal())


@pytest.mark.parametrize("name", ["../escape", "a/b", "", ".hidden", "a\0b", "x" * 200])
def test_an_id_that_is_no_file_name_is_refused(generator: ExperimentConfigGenerator, name: str) -> None:
    with pytest.raises(ConfigError, match="id of an experiment"):
        generator.generate_config(name, proposal(), validate=False)


def test_a_campaign_is_a_schema_and_a_council_s_proposal_is_whole(tmp_path: Path) -> None:
    schema = schema_of(example_campaign())
    generator = ExperimentConfigGenerator(schema, experiments_dir=tmp_path / "e", memory_dir=tmp_path / "m")
    made = Proposal.make(
        campaign_id="example-1",
        cycle=1,
        proposer="bayes",
        config={"model": "tree", "learning_rate": 0.1, "depth": 3},
        rationale="-",
    )
    assert generator.generate_config(made.id, made) == made.config


def test_the_shipped_preset_is_sound() -> None:
    schema = load_schema("vision")
    generator = ExperimentConfigGenerator(schema, experiments_dir=Path("/x"), memory_dir=Path("/nonexistent"))
    assert generator.validate(schema.baseline) == schema.baseline
    with pytest.raises(NotFoundError, match="vision"):
        load_schema("visoin")
