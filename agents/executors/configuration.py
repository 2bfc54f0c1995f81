"""Experiment configurations: baseline + changes → schema → rules → constraints → `config.yaml` and `config.json`.

    generator = get_config_generator()
    generator.generate_config("exp_001", {"type": "hyperparameter_tuning", "changes": {"learning_rate": 3e-4}})

A schema is data: a search space (see `search.parameters`), rules across parameters (`search.rules`) and a baseline.
A campaign's own space is one; the vision preset ships.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from agents.executors.constraints_file import read_constraints
from core.campaign import Campaign
from core.errors import ConfigError, NotFoundError, nearest
from core.files import write_private
from core.records import Config, Proposal
from core.settings import load_settings
from core.validation import config_error
from search.constraints import violations
from search.rules import Rule, broken, parse_rules
from search.space import Space

__all__ = [
    "ConfigSchema",
    "ConfigValidationError",
    "ExperimentConfigGenerator",
    "get_config_generator",
    "load_schema",
    "schema_of",
]

PRESETS = Path(__file__).parent / "presets"
SCHEMA = 1
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,127}")
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class ConfigValidationError(ConfigError):
    """A configuration that must not run: the `parameter`, its `value`, and what is `allowed`."""

    def __init__(self, parameter: str, value: Any, allowed: str, *, why: str = "", where: str = "") -> None:
        what = f"{parameter} = {value!r} is not allowed" + (f": {why}" if why else "")
        super().__init__(what, where=where or f"parameter {parameter}", hint=f"allowed: {allowed}")
        self.parameter = parameter
        self.value = value
        self.allowed = allowed


class ConfigSchema(BaseModel):
    """What a configuration may be, and what one starts with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    parameters: Space
    rules: tuple[str, ...] = ()
    baseline: dict[str, Any]

    def parsed_rules(self) -> tuple[Rule, ...]:
        return parse_rules(self.rules, self.parameters)


def load_schema(name: str | Path) -> ConfigSchema:
    """A preset by name, or a YAML file.  Raises ConfigError."""
    path = PRESETS / f"{name}.yaml" if isinstance(name, str) and re.fullmatch(r"\w+", name) else Path(name)
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        known = [preset.stem for preset in PRESETS.glob("*.yaml")]
        raise NotFoundError(f"there is no schema {name!r}", where=str(path), hint=nearest(str(name), known)) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"cannot read the schema: {error}", where=str(path)) from error
    if not isinstance(data, dict) or data.pop("schema", SCHEMA) != SCHEMA:
        raise ConfigError("a schema is a mapping with `schema: 1`", where=str(path))
    try:
        schema = ConfigSchema.model_validate(data)
    except ValidationError as error:
        raise config_error(error, ConfigSchema, str(path)) from error
    schema.parsed_rules()
    return schema


def schema_of(campaign: Campaign) -> ConfigSchema:
    """The schema that a campaign is."""
    return ConfigSchema.model_validate(
        {
            "name": campaign.name,
            "parameters": campaign.space,
            "rules": campaign.rules,
            "baseline": campaign.baseline,
        }
    )


def get_config_generator(
    schema: ConfigSchema | str = "vision",
    *,
    experiments_dir: Path | str | None = None,
    memory_dir: Path | str | None = None,
    environment: Mapping[str, str] = os.environ,
) -> ExperimentConfigGenerator:
    """The generator over the state folder (`ARC_MEMORY_DIR`, `ARC_EXPERIMENTS_DIR`, or as given)."""
    settings = load_settings({"home": memory_dir, "experiments_dir": experiments_dir}, {}, environment)
    return ExperimentConfigGenerator(
        load_schema(schema) if isinstance(schema, str) else schema,
        experiments_dir=settings.experiments_dir or settings.home / "experiments",
        memory_dir=settings.home,
    )


class ExperimentConfigGenerator:
    """Makes the configurations of experiments.  Its state lies in files: any number of processes may use one folder."""

    def __init__(self, schema: ConfigSchema, *, experiments_dir: Path, memory_dir: Path) -> None:
        self.schema = schema
        self.experiments_dir = experiments_dir
        self.constraints_path = memory_dir / "constraints.json"
        self.baseline_path = memory_dir / f"baseline-{schema.name}.json"
        self._rules = schema.parsed_rules()

    def generate_config(
        self, experiment_id: str, proposal: Mapping[str, Any] | Proposal, validate: bool = True
    ) -> Config:
        """The experiment's configuration, written to `<experiments>/<id>/config.yaml` and `config.json` (0600).

        `proposal` has `changes` to the baseline (a council's Proposal is whole: its configuration replaces the
        baseline).  Nothing is written for one that is refused.  Raises ConfigValidationError, and ConfigError for
        an id that is no plain file name; with `validate=False` only the latter.
        """
        folder = self._folder(experiment_id)
        if isinstance(proposal, Proposal):
            config = dict(proposal.config)
        else:
            changes = proposal.get("changes", {})
            if not isinstance(changes, Mapping):
                raise ConfigValidationError("changes", changes, "a mapping of parameters to values")
            config = {**self.get_baseline_config(), **changes}
            if validate:
                config = self._without_orphans(config, changes)
        if validate:
            config = self.validate(config)
        write_private(folder / "config.json", json.dumps(config, indent=1))
        write_private(folder / "config.yaml", yaml.dump(config, Dumper=DUMPER, sort_keys=False))
        return config

    def validate(self, config: Mapping[str, Any]) -> Config:
        """The canonical form.  Raises ConfigValidationError at the first fault: schema, rules, constraints."""
        canonical = self._canonical(config)
        for rule in broken(canonical, self._rules):
            values = {name: canonical[name] for name in rule.names}
            raise ConfigValidationError(", ".join(rule.names), _one(values), rule.text, why="a rule is broken")
        for region in violations(canonical, read_constraints(self.constraints_path)):
            values = {name: canonical[name] for name in region.conditions}
            outside = f"anything but {region}"
            raise ConfigValidationError(", ".join(region.conditions), _one(values), outside, why=region.reason)
        return canonical

    def get_baseline_config(self) -> Config:
        """The latest successful configuration that was made the baseline, else that of the schema."""
        try:
            stored = json.loads(self.baseline_path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return dict(self.schema.baseline)
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"cannot read the baseline: {error}",
                where=str(self.baseline_path),
                hint="delete it to go back to the schema's own",
            ) from error
        return dict(stored)

    def update_baseline(self, successful_config: Mapping[str, Any]) -> Config:
        """Start from `successful_config` from now on.  Raises ConfigValidationError, and then changes nothing."""
        config = self.validate(successful_config)
        write_private(self.baseline_path, json.dumps(config, indent=1))
        return config

    def _canonical(self, config: Mapping[str, Any]) -> Config:
        space = self.schema.parameters
        for name, value in config.items():
            if name not in space:
                raise ConfigValidationError(str(name), value, f"the parameters {', '.join(space)}", why="unknown")
        out: Config = {}
        for name in space:
            if not space[name].is_active(out):
                if name in config:
                    needs = " and ".join(f"{p} in {list(v)}" for p, v in space[name].when.items())
                    raise ConfigValidationError(name, config[name], f"only where {needs}", why="it has no meaning here")
                continue
            if name not in config and space[name].default is None:
                raise ConfigValidationError(name, None, space[name].allowed, why="it is missing")
            try:
                out[name] = space[name].canonical(config.get(name, space[name].default), name)
            except ConfigError as error:
                raise ConfigValidationError(name, config[name], space[name].allowed) from error
        return out

    def _without_orphans(self, config: Config, changes: Mapping[str, Any]) -> Config:
        """`config` without the baseline's values of parameters that the changes have switched off."""
        space, out = self.schema.parameters, dict(config)
        for name in space:
            if name in out and name not in changes and not space[name].is_active(out):
                del out[name]
        return out

    def _folder(self, experiment_id: str) -> Path:
        if not isinstance(experiment_id, str) or not NAME.fullmatch(experiment_id):
            raise ConfigError(
                f"{experiment_id!r} is not the id of an experiment",
                where="experiment_id",
                hint="use letters, digits, dots, dashes and underscores",
            )
        return self.experiments_dir / experiment_id


def _one(values: Mapping[str, Any]) -> Any:
    """The value itself where there is one, else all of them by name."""
    told: Sequence[Any] = list(values.values())
    return told[0] if len(told) == 1 else dict(values)
