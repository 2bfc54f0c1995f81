"""`python -m runtime.functions FUNCTION CONFIG`: call a kept function on a job's parameters, and print its metrics."""

from __future__ import annotations

import asyncio
import base64
import inspect
import json
import os
import sys
from collections.abc import Callable, Mapping
from numbers import Real
from pathlib import Path
from typing import Any

__all__ = ["call", "main"]


def main(function_file: str, config_file: str) -> int:
    """Exit code 0 and a last line of metrics; 1, with what was wrong on stderr, for an answer that is none."""
    kept = json.loads(Path(function_file).read_text(encoding="utf-8"))
    sys.path[:] = list(dict.fromkeys([*kept["paths"], *sys.path]))
    import cloudpickle  # after the paths, where the caller's own may be

    function = cloudpickle.loads(base64.b64decode(kept["function"]))
    config = json.loads(Path(config_file).read_text(encoding="utf-8"))
    seed = config.pop("seed", 0)
    metrics = as_metrics(call(function, config, seed), kept["metric"])
    if isinstance(metrics, str):
        print(metrics, file=sys.stderr)
        return 1
    print(json.dumps(metrics), flush=True)
    return 0


def call(function: Callable[..., Any], config: dict[str, Any], seed: int) -> Any:
    """The function's answer; `seed` and `report` are handed to one that has parameters of these names."""
    extra = {"seed": seed, "report": report}
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a built-in without a signature
        parameters = ()  # type: ignore[assignment]
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    named = {p.name for p in list(parameters)[1:] if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    answer = function(config, **{name: value for name, value in extra.items() if takes_any or name in named})
    return asyncio.run(answer) if inspect.iscoroutine(answer) else answer


def report(step: int, **metrics: float) -> None:
    """Tell of progress: shown live, and what an early stop judges."""
    line = json.dumps({"step": int(step), **{name: float(value) for name, value in metrics.items()}})
    sys.stdout.flush()
    os.write(1, f"{line}\n".encode())


def as_metrics(answer: Any, metric: str) -> dict[str, float] | str:
    """Metric → number, from a number or a mapping; else what is wrong with it."""
    if isinstance(answer, Mapping):
        odd = [name for name, value in answer.items() if not _is_number(value)]
        if odd or not answer:
            return f"the objective returned {', '.join(map(str, odd)) or 'nothing'} without a number"
        return {str(name): float(value) for name, value in answer.items()}
    if _is_number(answer):
        return {metric: float(answer)}
    return f"the objective returned {type(answer).__name__}, not a number or a mapping of metrics"


def _is_number(value: Any) -> bool:
    """Numbers of NumPy and torch count, booleans do not."""
    if isinstance(value, bool):
        return False
    return isinstance(value, Real) or (hasattr(value, "item") and getattr(value, "size", 1) == 1)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
