"""Text of a source file from its bytes, or a clear error. Nothing that is read here is ever executed or imported."""

from __future__ import annotations

import ast
import io
import textwrap
import tokenize
import warnings
from pathlib import Path

from core.errors import ConfigError, NotFoundError

__all__ = ["MAX_SIZE_BYTES", "check_language", "decode", "parse", "parse_function", "plain_newlines", "read_source"]

MAX_SIZE_BYTES = 5_000_000

_LANGUAGES = {
    ".c": "C", ".h": "C", ".cc": "C++", ".cpp": "C++", ".hpp": "C++", ".cs": "C#", ".go": "Go", ".java": "Java",
    ".js": "JavaScript", ".jsx": "JavaScript", ".kt": "Kotlin", ".lua": "Lua", ".php": "PHP", ".pl": "Perl",
    ".r": "R", ".rb": "Ruby", ".rs": "Rust", ".scala": "Scala", ".sh": "shell", ".sql": "SQL", ".swift": "Swift",
    ".ts": "TypeScript", ".tsx": "TypeScript", ".ipynb": "Jupyter notebook", ".md": "Markdown", ".html": "HTML",
    ".json": "JSON", ".yaml": "YAML", ".yml": "YAML", ".toml": "TOML",
}  # fmt: skip


def check_language(path: str) -> None:
    """Refuse a file whose suffix names another language than Python."""
    language = _LANGUAGES.get(Path(path).suffix.lower())
    if language:
        raise ConfigError(
            f"{language} is not analysed, only Python", where=path, hint="give a .py or .pyi file, or a folder of them"
        )


def decode(data: bytes, where: str = "<bytes>") -> str:
    """Source text of `data`: byte order mark and PEP 263 cookie are honoured, newlines become `\\n`.

    ConfigError for binary data, an unknown encoding, bytes that the encoding does not allow, or too large a file.
    """
    if len(data) > MAX_SIZE_BYTES:
        raise ConfigError(
            f"the file has {len(data):,} bytes, more than {MAX_SIZE_BYTES:,}", where=where, hint="split the file"
        )
    for mark, name in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            raise ConfigError(
                f"the file is {name}, which Python itself does not read", where=where, hint="save it as UTF-8"
            )
    if b"\x00" in data:
        raise ConfigError("the file is binary (it holds NUL bytes)", where=where, hint="give a Python source file")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        raise ConfigError(
            f"the file cannot be decoded: {error}",
            where=where,
            hint="save it as UTF-8, or name its encoding in the first line: # -*- coding: latin-1 -*-",
        ) from error
    return plain_newlines(text)


def plain_newlines(text: str) -> str:
    """`text` with `\\n` at the end of each line that Python sees: a lone `\\r` ends one too."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_source(path: str | Path) -> str:
    """Source text of a Python file. NotFoundError when there is none, ConfigError when it cannot be analysed."""
    file = Path(path)
    check_language(str(file))
    if not file.is_file():
        raise NotFoundError("there is no such file", where=str(file), hint="give the path of a Python file")
    try:
        size_bytes = file.stat().st_size
        data = file.read_bytes() if size_bytes <= MAX_SIZE_BYTES else b""
    except OSError as error:
        raise ConfigError(f"the file cannot be read: {error.strerror}", where=str(file)) from error
    if size_bytes > MAX_SIZE_BYTES:
        raise ConfigError(
            f"the file has {size_bytes:,} bytes, more than {MAX_SIZE_BYTES:,}", where=str(file), hint="split the file"
        )
    return decode(data, str(file))


def parse(code: str) -> tuple[ast.Module, list[tuple[int, int, str]]]:
    """Syntax tree of `code` and the parts that do not parse, as (first line, last line, what is wrong), 1-based.

    A file with a syntax error is cut into its top-level statements; those that parse are kept at their own lines, so a
    half-edited file still gives facts. Too deep a nesting counts as not parsing.
    """
    try:
        return _parse(code), []
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        whole = _describe(error)
    lines = code.split("\n")
    body: list[ast.stmt] = []
    broken: list[tuple[int, int, str]] = []
    for first, last in _blocks(lines):
        try:
            block = _parse("\n".join(lines[first - 1 : last]))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            broken.append((first, last, _describe(error, first - 1)))
        else:
            ast.increment_lineno(block, first - 1)
            body.extend(block.body)
    return ast.Module(body=body, type_ignores=[]), broken or [(1, len(lines), whole)]


def parse_function(source: str) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | None:
    """The first function or class of `source`, which may be indented; None when there is none that parses.

    Where a string of an indented method reaches the margin, `dedent` moves nothing: the method is then read as the
    body of a block. A method whose first line alone was stripped gets the other lines moved.
    """
    first, _, rest = source.partition("\n")
    for text, moved in (
        (textwrap.dedent(source), 0),
        (f"if True:\n{source}", 1),
        (f"{first}\n{textwrap.dedent(rest)}", 0),
    ):
        try:
            tree = _parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        ast.increment_lineno(tree, -moved)
        return _first_definition(tree.body[0].body if moved and isinstance(tree.body[0], ast.If) else tree.body)
    return _first_definition(parse(textwrap.dedent(source))[0].body)


def _first_definition(body: list[ast.stmt]) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | None:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return node
    return None


def _parse(code: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(code)


def _describe(error: BaseException, offset: int = 0) -> str:
    if isinstance(error, SyntaxError):
        return f"line {(error.lineno or 1) + offset}: {error.msg}"
    if isinstance(error, RecursionError | MemoryError):
        return "nested too deeply"
    return str(error)


def _blocks(lines: list[str]) -> list[tuple[int, int]]:
    """Runs of lines that begin at column 0; a decorator stays with what it decorates, `else:` with its `if`."""
    starts: list[int] = []
    joined = False
    for number, line in enumerate(lines, 1):
        if not line or line[0] in " \t#)]}\"'":
            continue
        if not joined and line.split(":")[0].split(" ")[0] not in ("else", "elif", "except", "finally"):
            starts.append(number)
        joined = line.startswith("@")
    ends = [start - 1 for start in starts[1:]] + [len(lines)]
    return list(zip(starts, ends, strict=False))
