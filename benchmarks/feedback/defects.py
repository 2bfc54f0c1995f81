"""Documentation defects in installed packages, to check by hand how often they are real.

python -m benchmarks.feedback.defects [PACKAGE…]        (default: all of site-packages)
"""

from __future__ import annotations

import collections
import sys
import sysconfig
from pathlib import Path

from agents.feedback.defects import docstring_defects
from agents.feedback.facts import module_facts
from agents.feedback.sources import read_source
from core.errors import ConfigError


def main() -> None:
    root = Path(sysconfig.get_paths()["purelib"])
    packages = sys.argv[1:] or sorted(path.name for path in root.iterdir() if (path / "__init__.py").exists())
    kinds: collections.Counter[str] = collections.Counter()
    functions = 0
    for package in packages:
        for file in sorted((root / package).rglob("*.py")):
            if {"tests", "_vendor"} & set(file.parts):
                continue
            try:
                facts = module_facts(read_source(file))
            except ConfigError:
                continue
            functions += sum(each.docstring is not None for each in facts.functions)
            for defect in docstring_defects(facts):
                kinds[defect.kind] += 1
                place = f"{file.relative_to(root)}:{defect.line} {defect.scope}"
                print(f"{place} [{defect.kind}] {defect.message} | {defect.evidence}")
    print(f"{functions} documented functions, {sum(kinds.values())} defects: {dict(kinds)}", file=sys.stderr)


if __name__ == "__main__":
    main()
