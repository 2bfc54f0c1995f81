"""`python -m agents.judge DIRECTORY`: judge the plan there; exit code 1 and no metrics where a candidate is refused."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from agents.judge.judging import judge
from agents.judge.records import Plan
from agents.judge.timing import Timed
from core.files import write_private

__all__ = ["main"]


def main(directory: Path) -> int:
    """Writes `judgement.json`, and prints a line a pair and the metrics, as any job does."""

    def told(timed: Timed) -> None:
        if timed.answer is not None:
            print(json.dumps({"step": len(timed.pairs), "speedup": timed.answer.estimate}), flush=True)

    plan = Plan.model_validate_json((directory / "plan.json").read_text(encoding="utf-8"))
    judgement = judge(plan, told)
    write_private(directory / "judgement.json", judgement.model_dump_json(indent=1))
    if judgement.cause:
        print(judgement.reason, file=sys.stderr)
        return 1
    print(json.dumps(judgement.metrics))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
