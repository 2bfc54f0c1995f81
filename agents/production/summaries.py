"""Test counts out of what pytest and unittest print."""

from __future__ import annotations

import re

from agents.production.counts import COUNTS, MAX_FAILURES, TestCounts, counted

__all__ = ["from_text"]

SUMMARY = re.compile(r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed|deselected|warnings?)\b")
RAN = re.compile(r"^Ran (\d+) tests?\b", re.MULTILINE)
ENDED = re.compile(r"^(?:OK|FAILED)(?: \(([^)]*)\))?\s*$", re.MULTILINE)
FAILED_LINE = re.compile(r"^(?:FAILED|ERROR|FAIL:)\s+(\S.*)$", re.MULTILINE)
COVERAGE = re.compile(r"^TOTAL\b.*?(\d+(?:\.\d+)?)%\s*$", re.MULTILINE)
MAX_TEXT = 1_000_000


def from_text(text: str) -> TestCounts:
    """The counts of the last summary; an expected failure counts as passed, an unexpected pass as failed."""
    text = text[-MAX_TEXT:]
    cover = COVERAGE.findall(text)
    coverage = float(cover[-1]) / 100 if cover else None
    failures = tuple(dict.fromkeys(line.strip()[:500] for line in FAILED_LINE.findall(text)))[:MAX_FAILURES]
    for line in reversed(text.splitlines()):
        found = SUMMARY.findall(line)
        if found and re.search(r"\bin \d", line):
            counts = dict.fromkeys(COUNTS, 0)
            for number, word in found:
                name = {"error": "errors", "xfailed": "passed", "xpassed": "failed"}.get(word, word)
                if name in counts:
                    counts[name] += int(number)
            return counted(counts, coverage=coverage, failures=failures)
        if re.search(r"\bno tests ran\b", line):
            return counted({})
    ran, ended = RAN.findall(text), ENDED.findall(text)
    if not ran or not ended:
        return TestCounts(unknown="a text without a summary of pytest or unittest")
    numbers = {name: int(number) for name, number in re.findall(r"(\w[\w ]*)=(\d+)", ended[-1])}
    counts = {
        "failed": numbers.get("failures", 0) + numbers.get("unexpected successes", 0),
        "errors": numbers.get("errors", 0),
        "skipped": numbers.get("skipped", 0),
    }
    counts["passed"] = max(0, int(ran[-1]) - sum(counts.values()))
    return counted(counts, coverage=coverage, failures=failures)
