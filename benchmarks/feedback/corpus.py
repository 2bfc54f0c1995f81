"""Documented functions of installed packages, as material to fit and to check the discriminator on.

    python -m benchmarks.feedback.corpus OUT.jsonl [--exclude NAME…] [--per-package 900]

Reads the standard library and site-packages of the running interpreter; nothing is imported. Each line:
{package, module, qualname, source (docstring removed), annotation}.
"""

from __future__ import annotations

import argparse
import ast
import json
import random
import sysconfig
import textwrap
import warnings
from collections.abc import Iterator
from pathlib import Path

from agents.feedback.docstrings import parse_docstring

_SKIP = frozenset(
    {
        "tests",
        "test",
        "testing",
        "_vendor",
        "vendored",
        "lib2to3",
        "idlelib",
        "site-packages",
        "turtledemo",
        "__pycache__",
        "generated",
        "protobuf",
        "models",
    }
)
_TOO_ALIKE = frozenset({"kubernetes", "torchgen", "google", "grpc", "functorch"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--exclude", nargs="*", default=[], help="packages, or modules of the standard library")
    parser.add_argument("--per-package", type=int, default=900)
    args = parser.parse_args()
    rng = random.Random(0)
    with args.out.open("w") as out:
        for package, files in _packages(frozenset(args.exclude)):
            rows = [row for file, module in files for row in _rows(package, module, file)]
            rng.shuffle(rows)
            for row in rows[: args.per_package]:
                out.write(json.dumps(row) + "\n")


def _packages(exclude: frozenset[str]) -> Iterator[tuple[str, list[tuple[Path, str]]]]:
    paths = sysconfig.get_paths()
    for root, prefix in ((Path(paths["stdlib"]), "stdlib."), (Path(paths["purelib"]), "")):
        for entry in sorted(root.iterdir()):
            name = entry.name.removesuffix(".py")
            if name in exclude | _SKIP | _TOO_ALIKE or name.startswith(".") or entry.name.endswith(".dist-info"):
                continue
            if entry.is_dir():
                files = [file for file in sorted(entry.rglob("*.py")) if not _SKIP & set(file.relative_to(root).parts)]
            else:
                files = [entry] if entry.suffix == ".py" else []
            if files:
                modules = [(file, ".".join(file.relative_to(root).with_suffix("").parts)) for file in files]
                yield prefix + name, modules


def _rows(package: str, module: str, file: Path) -> Iterator[dict[str, object]]:
    try:
        code = file.read_text("utf-8")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError):
        return
    if "test" in file.stem.split("_"):
        return
    lines = code.split("\n")
    for owner, node in _functions(tree):
        docstring = ast.get_docstring(node)
        if (
            not docstring
            or len(docstring.split()) < 4
            or len(node.body) < 2
            or (node.end_lineno or 0) - node.lineno > 200
        ):
            continue
        if isinstance(node.body[1], ast.Pass | ast.Raise) and len(node.body) == 2:
            continue
        first = node.body[0]
        source = textwrap.dedent(
            "\n".join([*lines[node.lineno - 1 : first.lineno - 1], *lines[first.end_lineno or 0 : node.end_lineno]])
        )
        try:
            ast.parse(source)
        except (SyntaxError, ValueError):
            continue
        yield {
            "package": package,
            "module": module,
            "qualname": f"{owner}.{node.name}" if owner else node.name,
            "source": source,
            "annotation": parse_docstring(docstring).annotation(),
        }


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield "", node
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield node.name, inner


if __name__ == "__main__":
    main()
