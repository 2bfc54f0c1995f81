"""Roles that propose poor drafts, copied beside a campaign and named there as `drafting_roles.py:<name>`."""

from __future__ import annotations

from agents.feedback.records import CodeComments, ScopeSummary, Statement
from agents.roles import Proposer, Supervisor
from core.records import Ruling


def poor_draft(path: str, code: str, said: str = "Does some stuff with the data.") -> CodeComments:
    """Every function summarised by the same empty sentence, with a parameter it does not have."""
    import ast

    summaries = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.FunctionDef):
            annotation = {
                "summary": said,
                "details": "",
                "params": [{"name": "thing", "type": "int", "description": "the thing"}],
                "returns": None,
                "raises": [{"type": "OSError", "description": "when it fails"}],
            }
            statement = Statement(topic="purpose", text=said, source="model", line=node.lineno, end_line=node.lineno)
            summaries.append(
                ScopeSummary(
                    scope="function", name=node.name, line=node.lineno, end_line=node.end_lineno or node.lineno,
                    statements=(statement,), annotation=annotation,
                )
            )  # fmt: skip
    return CodeComments(path=path, summaries=tuple(summaries))


def drafter(path: str, code: str, kind: str = "comment", with_draft: bool = True) -> Proposer:
    """Proposes a poor draft on `code` in every cycle."""

    async def propose(case, kit):
        comments = {path: poor_draft(path, code).model_dump(mode="json")} if with_draft else {}
        return [case.propose_files("drafter", kind, {path: code}, "a first idea", comments=comments)]

    return propose


def turncoat() -> Supervisor:
    """Amends a comment proposal to an experiment."""

    async def rule(proposal, case, kit):
        amended = case.propose("x", {"x": 0.1, "y": 0.1, "kind": "a"}, "something else")
        return Ruling(proposal_id=proposal.id, decision="amend", risk=0, rule="r", reason="r", amended=amended)

    return rule
