"""A campaign file → a campaign: YAML and overrides, each key checked.  What it means is checked in `graph.loading`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from core.campaign import Campaign
from core.errors import ConfigError, NotFoundError
from core.validation import config_error
from runtime.jobs import JobSpec, resolve_command

__all__ = ["campaign_file", "check_command", "read_campaign"]

SCHEMA = 1
MAX_SIZE_BYTES = 1_000_000
SHORT_FORMS = {"model": "use", "approvals": "mode"}
"""Keys whose value may be a word, and the key below them that it stands for."""


def campaign_file(path: Path) -> Path:
    """The file that is meant: `path` itself, or the `campaign.yaml` of a folder."""
    return path / "campaign.yaml" if path.is_dir() else path


def read_campaign(
    path: Path, overrides: Mapping[str, Any] | None = None, defaults: Mapping[str, Any] | None = None
) -> Campaign:
    """The campaign in `path`, with `overrides` by dotted key, and `defaults` for keys that it does not have.

    Raises ConfigError for a bad file or key.
    """
    path = campaign_file(path)
    data = _read(path)
    schema = data.pop("schema", SCHEMA)
    if schema != SCHEMA:
        raise ConfigError(
            f"schema {schema!r} is not known", where=str(path), hint=f"this version reads schema: {SCHEMA}"
        )
    data = {**(defaults or {}), **data}
    for name, inner in SHORT_FORMS.items():  # so that an override finds its place
        if isinstance(data.get(name), str):
            data[name] = {inner: data[name]}
    for key, value in (overrides or {}).items():
        _override(data, key, value, str(path))
    data["here"], data["file"] = str(path.parent.resolve()), path.name
    try:
        campaign = Campaign.model_validate(data)
    except ValidationError as error:
        raise config_error(error, Campaign, str(path)) from error
    return campaign


def check_command(campaign: Campaign, where: str) -> None:
    """The command's script exists, and every job of the campaign can be asked for.  Raises ConfigError."""
    here = Path(campaign.here)
    for word in campaign.command:
        if word.startswith("{here}") and not (script := Path(word.replace("{here}", str(here)))).exists():
            raise ConfigError(
                f"there is no file {script.name}",
                where=f"{where}, command: {script}",
                hint="check the name in `command`",
            )
    command = resolve_command(campaign.command, here, here / "config.json", here)
    try:  # what every job of it will be asked
        JobSpec(
            id="check", directory=here, command=command, environment=campaign.environment, patterns=campaign.patterns
        )
    except ValidationError as error:
        raise config_error(error, JobSpec, where) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        size = path.stat().st_size
        if size > MAX_SIZE_BYTES:
            raise ConfigError(
                f"the file has {size:,} bytes, a campaign has at most {MAX_SIZE_BYTES:,}", where=str(path)
            )
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFoundError(
            "there is no such campaign file", where=str(path), hint="`python run_graph.py init` writes one"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the campaign: {error}", where=str(path)) from error
    try:
        data = yaml.load(text, Loader=_Loader)  # noqa: S506  # a SafeLoader without aliases
    except RecursionError as error:
        raise ConfigError("this is not a campaign: it is nested too deeply", where=str(path)) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        raise ConfigError(f"this is not YAML: {problem}", where=f"{path}{line}") from error
    if not isinstance(data, dict):
        raise ConfigError(
            "a campaign is a mapping of keys", where=str(path), hint="`python run_graph.py init` writes an example"
        )
    return data


class _Loader(yaml.SafeLoader):
    """Safe, and without aliases: a few lines of them expand to gigabytes.  A key that stands twice is an error."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not read", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key is a word", key_node.start_mark)
            if key_node.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key_node.value!r} stands twice", key_node.start_mark
                )
            seen.add(key_node.value)
        return super().construct_mapping(node, deep)


def _override(data: dict[str, Any], key: str, value: Any, where: str) -> None:
    """Set the dotted `key` to `value`."""
    *path, last = key.split(".")
    at = data
    for part in path:
        at = at.setdefault(part, {})
        if not isinstance(at, dict):
            raise ConfigError(f"cannot set {key}: {part} is not a mapping", where=where)
    at[last] = value
