"""Docstrings in the three usual styles (NumPy, Google, Sphinx fields) as structured annotations.

Only what a section heading or a field names counts as structured; everything else is summary and details. Offsets are
0-based lines within the cleaned docstring, so that a defect can be shown where it stands.
"""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict

__all__ = ["DocItem", "Docstring", "parse_docstring"]

_SECTIONS = {
    "parameters": "params", "params": "params", "args": "params", "arguments": "params", "keyword args": "params",
    "keyword arguments": "params", "other parameters": "params", "returns": "returns", "return": "returns",
    "yields": "yields", "yield": "yields", "raises": "raises", "raise": "raises", "exceptions": "raises",
    "except": "raises", "notes": "other", "note": "other", "examples": "other", "example": "other",
    "see also": "other", "references": "other", "attributes": "other", "warnings": "other", "warning": "other",
    "warns": "other", "todo": "other", "methods": "other", "receives": "other",
}  # fmt: skip
_FIELD = re.compile(r"^:(param|parameter|arg|argument|key|keyword|type|returns?|rtype|raises?|except|exception|yields?)"
                    r"(?:\s+([^:]*))?:(?:\s+(.*))?$")  # fmt: skip
_UNDERLINE = re.compile(r"^[-=~]{3,}$")
_GOOGLE_ITEM = re.compile(r"^(\*{0,2}[\w.]+)\s*(?:\((.*?)\))?\s*:(?:\s+(.*))?$")
_NUMPY_NAMES = re.compile(r"^(\*{0,2}\w+(?:\s*,\s*\*{0,2}\w+)*|\w+\s*/\s*\w+)\s*(?::\s*(.*))?$")
_EXCEPTION = re.compile(
    r"^[`:\w.~]*?(\w+(?:Error|Exception|Warning|Interrupt|Exit|Iteration|Failure|Timeout))`?\s*:?\s*(.*)$"
)


class DocItem(BaseModel):
    """One documented parameter, return or exception: `name` is the parameter or the exception's type."""

    model_config = ConfigDict(frozen=True)

    name: str = ""
    type: str | None = None
    description: str = ""
    offset: int = 0


class Docstring(BaseModel):
    """A parsed docstring; `style` is the first structured style found, `plain` when there is none."""

    model_config = ConfigDict(frozen=True)

    summary: str
    details: str = ""
    params: tuple[DocItem, ...] = ()
    returns: DocItem | None = None
    yields: DocItem | None = None
    raises: tuple[DocItem, ...] = ()
    style: str = "plain"

    def annotation(self) -> dict[str, object]:
        """The annotation form that the discriminator scores."""
        returned = self.returns or self.yields
        return {
            "summary": self.summary,
            "details": self.details,
            "params": [{"name": p.name, "type": p.type, "description": p.description} for p in self.params],
            "returns": {"type": returned.type, "description": returned.description} if returned else None,
            "raises": [{"type": r.name, "description": r.description} for r in self.raises],
        }


def parse_docstring(text: str) -> Docstring:
    """Parse a cleaned docstring (as `ast.get_docstring` gives it). Never fails: what has no structure is prose."""
    lines = text.expandtabs().split("\n")
    return _Parser(lines).parse()


class _Parser:
    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.prose: list[str] = []
        self.params: list[DocItem] = []
        self.types: dict[str, str] = {}
        self.raises: list[DocItem] = []
        self.returns: DocItem | None = None
        self.yields: DocItem | None = None
        self.style = "plain"

    def parse(self) -> Docstring:
        index = 0
        while index < len(self.lines):
            if self.lines[index].lstrip().startswith("```"):  # an example may hold `Args:` of its own
                index = self._fence(index)
                continue
            index = self._section(index) or self._field(index) or self._plain(index)
        paragraphs = re.split(r"\n\s*\n", "\n".join(self.prose).strip())
        first, *rest = paragraphs
        head, _, tail = first.strip().partition("\n")
        details = " ".join(" ".join(part.split()) for part in [tail, *rest] if part.strip())
        return Docstring(
            summary=" ".join(head.split()),
            details=details,
            params=tuple(
                item.model_copy(update={"type": item.type or self.types.get(item.name)}) for item in self.params
            ),
            returns=self.returns,
            yields=self.yields,
            raises=tuple(self.raises),
            style=self.style,
        )

    def _fence(self, index: int) -> int:
        end = index + 1
        while end < len(self.lines) and not self.lines[end].lstrip().startswith("```"):
            end += 1
        return end + 1

    def _plain(self, index: int) -> int:
        self.prose.append(self.lines[index])
        return index + 1

    # -- Sphinx fields

    def _field(self, index: int) -> int | None:
        match = _FIELD.match(self.lines[index].strip())
        if match is None:
            return None
        self._styled("sphinx")
        kind, argument, first = match[1], (match[2] or "").strip(), match[3] or ""
        indent = _indent(self.lines[index])
        end = index + 1
        while end < len(self.lines) and (not self.lines[end].strip() or _indent(self.lines[end]) > indent):
            end += 1
        description = _join([first, *self.lines[index + 1 : end]])
        if kind in ("param", "parameter", "arg", "argument", "key", "keyword"):
            *type_words, name = argument.split() or [""]
            if name:
                item = DocItem(
                    name=name.lstrip("*\\").strip("`"), type=" ".join(type_words) or None,
                    description=description, offset=index,
                )  # fmt: skip
                self.params.append(item)
        elif kind == "type":
            self.types[argument] = description
        elif kind in ("return", "returns"):
            self.returns = DocItem(
                type=self.returns.type if self.returns else None, description=description, offset=index
            )
        elif kind == "rtype":
            before = self.returns.description if self.returns else description
            self.returns = DocItem(type=description, description=before, offset=index)
        elif kind in ("yield", "yields"):
            self.yields = DocItem(description=description, offset=index)
        else:
            for name in filter(None, re.split(r"[,\s]+", argument)):
                self.raises.append(DocItem(name=name.strip("`~"), description=description, offset=index))
        return end

    # -- NumPy and Google sections

    def _section(self, index: int) -> int | None:
        line = self.lines[index]
        title = line.strip().rstrip(":").lower()
        kind = _SECTIONS.get(title)
        if kind is None:
            return None
        following = self.lines[index + 1] if index + 1 < len(self.lines) else ""
        if _UNDERLINE.match(following.strip()):
            self._styled("numpy")
            return self._numpy(index + 2, kind, _indent(line))
        if line.strip().endswith(":") and _indent(following) > _indent(line) and kind != "other":
            self._styled("google")
            return self._google(index + 1, kind, _indent(line))
        return None

    def _numpy(self, start: int, kind: str, indent: int) -> int:
        end = start
        while end < len(self.lines) and not self._next_numpy_section(end):
            end += 1
        if kind == "other":
            return end
        for head, body, offset in self._items(start, end, indent):
            description = _join(body)
            if kind == "params":
                match = _NUMPY_NAMES.match(head)
                if match is not None:
                    for name in re.split(r"\s*[,/]\s*", match[1]):
                        self.params.append(
                            DocItem(name=name.lstrip("*"), type=match[2], description=description, offset=offset)
                        )
            elif kind == "raises":
                self._raised(head, description, offset)
            else:
                name, colon, type_ = head.partition(" : ")
                item = DocItem(
                    name=name if colon else "", type=type_ if colon else head, description=description, offset=offset
                )
                self._returned(kind, item)
        return end

    def _next_numpy_section(self, index: int) -> bool:
        following = self.lines[index + 1] if index + 1 < len(self.lines) else ""
        return bool(self.lines[index].strip()) and bool(_UNDERLINE.match(following.strip()))

    def _google(self, start: int, kind: str, indent: int) -> int:
        end = start
        while end < len(self.lines) and (not self.lines[end].strip() or _indent(self.lines[end]) > indent):
            end += 1
        inner = _indent(self.lines[start])
        if kind in ("returns", "yields"):
            text = _join(self.lines[start:end])
            match = re.match(r"^([\w.\[\], |`~:]{1,60}?):\s+(.*)$", text)
            item = DocItem(type=match[1] if match else None, description=match[2] if match else text, offset=start)
            self._returned(kind, item)
            return end
        for head, body, offset in self._items(start, end, inner):
            match = _GOOGLE_ITEM.match(head)
            if match is None:
                continue
            description = _join([match[3] or "", *body])
            if kind == "params":
                self.params.append(
                    DocItem(name=match[1].lstrip("*"), type=match[2], description=description, offset=offset)
                )
            else:
                self._raised(match[1], description, offset)
        return end

    def _items(self, start: int, end: int, indent: int) -> list[tuple[str, list[str], int]]:
        """Entries whose first line stands at `indent`, with the deeper lines below them."""
        found: list[tuple[str, list[str], int]] = []
        for index in range(start, end):
            line = self.lines[index]
            if not line.strip():
                continue
            if _indent(line) <= indent:
                found.append((line.strip(), [], index))
            elif found:
                found[-1][1].append(line)
        return found

    def _returned(self, kind: str, item: DocItem) -> None:
        if kind == "yields":
            self.yields = self.yields or item
        elif self.returns is None:
            self.returns = item
        else:  # several values: a tuple, whose parts the style lists one by one
            both = f"{self.returns.description} {item.description}".strip()
            self.returns = self.returns.model_copy(update={"type": "tuple", "description": both})

    def _raised(self, head: str, description: str, offset: int) -> None:
        match = _EXCEPTION.match(head)
        if match is not None:
            self.raises.append(DocItem(name=match[1], description=f"{match[2]} {description}".strip(), offset=offset))

    def _styled(self, style: str) -> None:
        if self.style == "plain":
            self.style = style


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _join(lines: list[str]) -> str:
    return " ".join(" ".join(lines).split())
