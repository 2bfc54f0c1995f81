"""A prompt is a file: `prompts/<role>/<name>.md`, front matter and two parts, `# System` and `# User`.

    ---
    description: what it asks for
    max_tokens: 600                  # of the answer
    answer: DirectionAnswer          # its form, a class of agents.answers
    variables:
      facts: {trusted: true}         # made by us: put in as it is, bounded
      memory: {max_chars: 2000}      # from outside: fenced, bounded, what hides in it shown
    ---

A prompt of one's own is a file anywhere, named by its `Path` in place of a name.

Declared variables, those used and those given are the same, or it is an error: of loading for the first two, of
rendering for the last.  The edition of a file is the first 12 characters of its content hash, so that an answer can be
traced to the very text that asked for it.
"""

from __future__ import annotations

import re
import unicodedata
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

__all__ = ["PromptFile", "Variable", "fenced", "load", "names", "render", "visible"]

FENCE = "<<<{name}"
FENCE_END = "{name}>>>"
HIDING = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
"""Unicode categories that hide text, turn its direction or break its line; all but tab and newline are shown."""
FILLERS = {"\u115f", "\u1160", "\u2800", "\u3164", "\uffa0"}
"""Letters that show nothing."""
CUT = " […{n} characters cut]"


class Variable(BaseModel):
    """Cut after `max_chars`.  `trusted`: made by us, and put in as it is; else fenced as well."""

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
        """At most so many characters are sent, whatever the variables hold."""
        text = self.system + self.user
        around = len(CUT) + 12  # the mark of a cut, with its number, and the line breaks of a fence
        return len(text) + sum(
            len(re.findall(rf"\{{\{{\s*{name}\b", text)) * (variable.max_chars + 2 * len(FENCE + name) + around)
            for name, variable in self.variables.items()
        )


_environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def names() -> list[str]:
    """The names of all prompts that ship, such as `director/direction`."""
    root = Path(str(files("prompts")))
    return sorted(str(path.relative_to(root).with_suffix("")) for path in root.glob("*/*.md"))


def render(name: str | Path, /, **variables: Any) -> Prompt:
    """The prompt `name`, or the one in a file, with its variables.

    Raises ConfigError for a file that is missing or wrong, and for a variable that is missing or not declared.
    """
    file = load(name)
    where = f"prompt {file.name}"
    for given in variables:
        if given not in file.variables:
            hint = nearest(given, file.variables) if file.variables else "it takes none"
            raise ConfigError(f"the prompt has no variable {given!r}", where=where, hint=hint)
    for wanted in file.variables:
        if wanted not in variables:
            raise ConfigError(f"the variable {wanted!r} is missing", where=where)
    values = {
        key: _cut(str(value), file.variables[key].max_chars)
        if file.variables[key].trusted
        else fenced(key, value, file.variables[key].max_chars)
        for key, value in variables.items()
    }
    return Prompt(
        name=file.name,
        edition=file.edition,
        system=_environment.from_string(file.system).render(values).strip(),
        user=_environment.from_string(file.user).render(values).strip(),
        max_tokens=file.max_tokens,
    )


def fenced(name: str, value: Any, max_chars: int) -> str:
    """Text from outside between marks that it cannot write itself, bounded, nothing in it hidden."""
    text = value if isinstance(value, str) else "\n".join(map(str, value))
    # cut before it is shown, so that a flood costs nothing, and after, as what is shown is longer
    text = visible(text[: max_chars + 1]) + text[max_chars + 1 :]
    return f"{FENCE.format(name=name)}\n{_cut(text, max_chars)}\n{FENCE_END.format(name=name)}"


def visible(text: str) -> str:
    """The text with what hides in it shown, and without the marks of a fence; the same again when done twice."""
    return "".join(map(_shown, text)).replace("<<<", "< < <").replace(">>>", "> > >")


def _shown(character: str) -> str:
    """The character, or its number where it would hide something."""
    selects = "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"
    hides = unicodedata.category(character) in HIDING or character in FILLERS or selects
    if not hides or character in "\n\t":
        return character
    return f"\\u{ord(character):04x}" if ord(character) < 0x10000 else f"\\U{ord(character):08x}"


def _cut(text: str, max_chars: int) -> str:
    return text if len(text) <= max_chars else text[:max_chars] + CUT.format(n=len(text) - max_chars)


def load(name: str | Path) -> PromptFile:
    """The prompt file of that name, or at that path.  Raises ConfigError when it is missing or wrong."""
    if isinstance(name, str):
        return _shipped(name)
    try:
        text = name.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the prompt: {error}", where=str(name)) from error
    return parse(f"{name.parent.name}/{name.stem}", text)


@cache
def _shipped(name: str) -> PromptFile:
    path = files("prompts").joinpath(f"{name}.md")
    if name not in names():  # a name is no path: nothing outside is read
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
