"""Outcomes for the tests of production work."""

from __future__ import annotations

from typing import Any

from core.production import ProductionOutcome

PATH = ("read samples of the format", "write the parser with libcst", "run pytest", "all tests pass")


def outcome(number: int = 0, agent: str = "builder", success: bool = True, **more: Any) -> ProductionOutcome:
    fields: dict[str, Any] = {
        "task": f"write parser {number}",
        "task_type": "code_generation",
        "result": {"code": f"def parse_{number}(text):\n    return text.split()\n"},
        "execution_path": PATH,
        "tools_used": ("libcst", "pytest"),
        "duration_s": 1.5,
        "started_at": 1000.0 + number,
        **({} if success else {"failure_reasons": ("the tests failed",)}),
        **more,
    }
    return ProductionOutcome(agent=agent, success=success, **fields)
