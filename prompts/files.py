"""A prompt is a file: `prompts/<role>/<name>.md`, front matter and two parts, `# System` and `# User`.

    ---
    description: what it asks for
    max_tokens: 600                  # of the answer
    answer: DirectionAnswer          # its form, a class of agents.answers
    variables:
      facts: {trusted: true}         # made by us
      memory: {max_chars: 2000}      # from outside: fenced, bounded, its control characters shown
    ---

Declared variables, those used and those given are the same, or it is an error: of loading for the first two, of
rendering for the last.  The edition of a file is the first 12 characters of its content hash, so that an answer can be
traced to the very text that asked for it.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from jinja2 import StrictUndefined, TemplateError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import ConfigError, nearest
from core.ids import content_hash
from core.models import Prompt
from core.validation import config_error

__all__ = ["PromptFile", "Variable", "fenced", "load", "names", "render"]

FENCE = "<<<{name}"
FENCE_END = "{name}>>>"
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Control characters, and those that hide text or turn its direction."""


class Variable(BaseModel):
    """`trusted`: made by us, put in as it is; else fenced and cut after `max_chars`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    trusted: bool = False
    max_chars: int = Field(default=2000, gt=0)


class PromptFile(BaseModel):
    """A prompt file, read and checked."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    edition: str
    description: str
    max_tokens: int = Field(gt=0)
    answer: str = Field(default="", description="the class of agents that the answer must be; empty: none")
    variables: dict[str, Variable] = {}
    system: str
    user: str

    @property
    def most_characters(self) -> int:
        """At most so many characters are sent, where no trusted variable is longer than it says."""
        return len(self.system) + len(self.user) + sum(v.max_chars for v in self.variables.values())


_environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def names() -> list[str]:
    """The names of all prompts that ship, such as `director/direction`."""
    root = Path(str(files("prompts")))
    return sorted(str(path.relative_to(root).with_suffix("")) for path in root.glob("*/*.md"))


def render(name: str, **variables: Any) -> Prompt:
    """The prompt `name` with its variables.  Raises ConfigError when one is missing or not declared."""
    file = load(name)
    where = f"prompts/{name}.md"
    for given in variables:
        if given not in file.variables:
            hint = nearest(given, file.variables) if file.variables else "it takes none"
            raise ConfigError(f"the prompt has no variable {given!r}", where=where, hint=hint)
    for wanted in file.variables:
        if wanted not in variables:
            raise ConfigError(f"the variable {wanted!r} is missing", where=where)
    values = {
        key: value if file.variables[key].trusted else fenced(key, value, file.variables[key].max_chars)
        for key, value in variables.items()
    }
    return Prompt(
        name=name,
        edition=file.edition,
        system=_environment.from_string(file.system).render(values).strip(),
        user=_environment.from_string(file.user).render(values).strip(),
        max_tokens=file.max_tokens,
    )


def fenced(name: str, value: Any, max_chars: int) -> str:
    """Text from outside between marks that it cannot write itself, bounded, nothing in it hidden."""
    text = value if isinstance(value, str) else "\n".join(map(str, value))
    text = CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    text = text.replace("<<<", "< < <").replace(">>>", "> > >")
    if len(text) > max_chars:
        text = f"{text[:max_chars]} […{len(text) - max_chars} characters cut]"
    return f"{FENCE.format(name=name)}\n{text}\n{FENCE_END.format(name=name)}"


@cache
def load(name: str) -> PromptFile:
    """The prompt file of that name.  Raises ConfigError when it is missing or wrong."""
    path = files("prompts").joinpath(f"{name}.md")
    if not path.is_file():
        raise ConfigError(f"there is no prompt {name!r}", where="prompts", hint=nearest(name, names()))
    return parse(name, path.read_text(encoding="utf-8"))


def parse(name: str, text: str) -> PromptFile:
    """A prompt file from its text.  Raises ConfigError for whatever would fail when it is rendered."""
    where = f"prompts/{name}.md"
    found = re.match(r"---\n(.*?)\n---\n\s*# System\n(.*?)\n# User\n(.*)$", text, re.DOTALL)
    if not found:
        raise ConfigError("a prompt has front matter, # System and # User", where=where)
    try:
        head = yaml.safe_load(found[1])
        file = PromptFile(name=name, edition=content_hash(text)[:12], system=found[2], user=found[3], **head)
    except ValidationError as error:
        raise config_error(error, PromptFile, where) from error
    except (yaml.YAMLError, TypeError) as error:
        raise ConfigError(f"the front matter is wrong: {error}", where=where) from error
    try:
        used = {
            v for part in (file.system, file.user) for v in meta.find_undeclared_variables(_environment.parse(part))
        }
    except TemplateError as error:
        raise ConfigError(f"the template is wrong: {error}", where=where) from error
    if used != set(file.variables):
        odd = ", ".join(sorted(used ^ set(file.variables)))
        raise ConfigError(f"declared and used variables differ: {odd}", where=where)
    return file
