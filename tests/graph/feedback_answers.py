"""What a model says in the feedback loop, for the stand-in server."""

from __future__ import annotations

import re
from typing import Any

LIE = "Adds articles to the stock, never removing any."


def answer(asked: Any) -> Any:
    """Good sentences; sees the lie about `take`, and which parameters there are."""
    fields, text = asked.schema.get("properties", {}), asked.user
    if "summaries" in fields:
        names = re.findall(r"^# (\S+)$", text, re.MULTILINE)
        return {"summaries": [{"name": name, "text": SAID.get(name, "Keeps its place.")} for name in names]}
    if "verdicts" in fields:
        claims = re.findall(r"^([A-Z]): (\S+): (.*)$", text, re.MULTILINE)
        return {"verdicts": [_verdict(*claim, text) for claim in claims]}
    if "guidance" in fields:
        return {"guidance": ["Say what happens when the stock runs out."]}
    return None


SAID = {
    "Stock.take": "Takes `count` articles called `name` out of the stock, and tells how many are left.",
    "Stock.save": "Writes the counts to the file at `path` as JSON.",
}


def _verdict(label: str, name: str, claim: str, text: str) -> dict[str, str]:
    """Knows the parameters of a function, and the lie; believes the rest."""
    head = re.search(rf"^# {re.escape(name)}\n\s*(def .*)$", text, re.MULTILINE)
    planted = re.fullmatch(r"Takes a parameter called `(\w+)`\.", claim)
    if planted and head and planted[1] not in re.findall(r"\w+", head[1]):
        return {"label": label, "verdict": "contradicted", "quote": head[1]}
    if claim == LIE:
        return {"label": label, "verdict": "contradicted", "quote": "self.counts[name] = left - count"}
    return {"label": label, "verdict": "supported"}
