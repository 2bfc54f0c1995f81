"""What a model says in the feedback loop, for the stand-in server."""

from __future__ import annotations

import re
from typing import Any

LIE = "Adds articles to the stock, never removing any."


def answer(asked: Any) -> Any:
    """Good sentences; sees the lie about `take`, and that nothing is deleted anywhere."""
    fields, text = asked.schema.get("properties", {}), asked.user
    if "summaries" in fields:
        names = re.findall(r"^# (\S+)$", text, re.MULTILINE)
        return {"summaries": [{"name": name, "text": SAID.get(name, "Keeps its place.")} for name in names]}
    if "verdicts" in fields:
        claims = re.findall(r"^([A-Z]): (\S+): (.*)$", text, re.MULTILINE)
        return {"verdicts": [_verdict(*claim) for claim in claims]}
    if "guidance" in fields:
        return {"guidance": ["Say what happens when the stock runs out."]}
    return None


SAID = {
    "Stock.take": "Takes `count` articles called `name` out of the stock, and tells how many are left.",
    "Stock.save": "Writes the counts to the file at `path` as JSON.",
}


def _verdict(label: str, name: str, claim: str) -> dict[str, str]:
    if claim.startswith("Deletes every file"):
        return {"label": label, "verdict": "contradicted", "quote": "def" if name != "Stock.take" else "def take("}
    if claim == LIE:
        return {"label": label, "verdict": "contradicted", "quote": "self.counts[name] = left - count"}
    return {"label": label, "verdict": "supported"}
