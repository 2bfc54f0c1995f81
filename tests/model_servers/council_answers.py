"""What a model of every role says, for the stand-in server: sensible for any campaign of numbers, and depending on
nothing but the question.

    python -m tests.model_servers.ollama_stand_in --answers tests/model_servers/council_answers.py:answer
"""

from __future__ import annotations

import json
import re
import zlib
from typing import Any


def answer(asked: Any) -> Any:
    """By the form of the answer that is asked for."""
    fields, text = asked.schema.get("properties", {}), asked.user
    if "mode" in fields:
        focus = _parameter(text)[:1]
        return {"mode": "explore", "focus": list(focus), "reason": "little is known yet"}
    if "judgements" in fields:
        table = text.partition("<<<proposals")[2].partition("proposals>>>")[0]
        favourite = re.search(r"The favourite is (\w)", text)
        told: dict[str, Any] = {
            "judgements": [
                {"label": letter, "score": -0.2 if favourite and letter == favourite[1] else 0.2, "confidence": 0.5,
                 "reason": "as far as one can tell"}
                for letter in re.findall(r"^([A-Z]): ", table, re.MULTILINE)
            ]
        }  # fmt: skip
        if favourite:
            told["objection"] = {"label": favourite[1], "reason": "its gain may lie inside the noise"}
        return told
    if "proposals" in fields:
        name, value = _parameter(text) or ("nothing", 0)
        proposal: dict[str, Any] = {"changes": {name: value}, "reason": f"a step in {name}"}
        if "memories" in json.dumps(asked.schema):
            proposal["memories"] = re.findall(r"^(t-[0-9a-f]+):", text, re.MULTILINE)[:1]
        return {"proposals": [proposal]}
    if "verdict" in fields:
        return {"verdict": "stand", "evidence": [], "reason": "nothing speaks against it"}
    if "insights" in fields:
        return {"insights": [], "plan": ["start from the baseline", "move one parameter"]}
    return None


def _parameter(text: str) -> tuple[str, float | int] | tuple[()]:
    """The last number of the space that the best so far has, and a value of it that the question decides.

    Nothing where there is no space of numbers.
    """
    told = re.findall(r"^- (\S+): (float|int) (\S+) … ([^\s,]+)(, logarithmic)?", text, re.MULTILINE)
    best = re.search(r"^Best so far (.*)$", text, re.MULTILINE) or re.search(r"^Baseline (.*)$", text, re.MULTILINE)
    active = set(re.findall(r"(\S+)=", best[1])) if best else set()
    known = [row for row in told if row[0] in active]
    if not known:
        return ()
    name, kind, low, high, log = known[-1]
    share = 0.05 + 0.9 * (zlib.crc32(text.encode()) % 997) / 997
    least, most = float(low), float(high)
    value = least * (most / least) ** share if log else least + (most - least) * share
    return name, round(value) if kind == "int" else float(f"{value:.4g}")
