"""How long the library takes for one day of logs.

    PYTHONPATH=FOLDER python benchmark/bench.py [--seed 0]

FOLDER holds the package `logstats`; without it the one beside this folder is taken.  Prints one line of JSON: `seconds`
of processor time for one report in JSON and in text, and `check`, the SHA-256 of both.  Ends with code 1 and no such
line if either is not what the workload's truth says.  The warm-up is a small day of another year: nothing timed is
remembered from it.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import hashlib
import json
import sys
from pathlib import Path
from time import process_time
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1]))

import logstats
from expected import expected_report, expected_text
from workload import Workload, draw


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seed", type=int, default=0, help="another seed, another day")
    seed = arguments.parse_args().seed
    day = draw(seed)
    clock = process_time
    with contextlib.redirect_stdout(sys.stderr):
        report_on(draw(seed, requests=60, events=60, accounts=20, year=2019))
        gc.collect()
        start = clock()
        as_json, as_text = report_on(day)
        seconds = clock() - start
    wanted = expected_report(day)
    wrong = differences(json.loads(as_json), wanted)
    if as_json != json.dumps(wanted, sort_keys=True, ensure_ascii=False):
        wrong = wrong or ["the order or writing of the JSON"]
    if as_text != expected_text(wanted):
        wrong.append("the text report")
    if wrong:
        print("wrong result: " + ", ".join(wrong), file=sys.stderr)
        return 1
    print(json.dumps({"seconds": seconds, "check": hashlib.sha256((as_json + as_text).encode()).hexdigest()}))
    return 0


def report_on(day: Workload) -> tuple[str, str]:
    """The library's report on a day, as JSON and as text."""
    users = [logstats.User(name, team) for name, team in day.accounts]
    report = logstats.analyse(day.access, day.application, users)
    return logstats.as_json(report), logstats.as_text(report)


def differences(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """Names of the parts of a report that are not as they must be."""
    return [
        f"{part}.{name}"
        for part in wanted
        for name in wanted[part]
        if found.get(part, {}).get(name, object()) != wanted[part][name]
    ]


if __name__ == "__main__":
    sys.exit(main())
