"""The generator without a model: comments of a file made of facts, each marked with its source and its lines.

Which topics a draft holds is set by directives: the first draft says what a caller needs (purpose, parameters, result,
exceptions, effects); types, invariants, complexity and to-dos come when guidance asks for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePath

from agents.feedback.defects import Defect, docstring_defects
from agents.feedback.docstrings import parse_docstring
from agents.feedback.fact_records import ClassFacts, FunctionFacts, ModuleFacts
from agents.feedback.facts import module_facts
from agents.feedback.purpose import class_purpose, first_sentence, module_purpose, returned_kinds
from agents.feedback.records import CodeComments, Directive, LineAnnotation, ScopeSummary, Source, Statement
from agents.feedback.sources import check_language
from agents.feedback.statements import function_statements, is_hot

__all__ = ["FIRST_TOPICS", "generate"]

FIRST_TOPICS = ("purpose", "params", "returns", "raises", "effects", "defect", "partial", "structure")
_TOPIC_OF = {
    "types": "types", "header": "structure", "params": "params", "returns": "returns", "raises": "raises",
    "effects": "effects", "complexity": "complexity", "invariants": "invariants", "todo": "todo",
}  # fmt: skip


def generate(path: str, code: str, directives: Sequence[Directive] = ()) -> CodeComments:
    """Comments of a Python file. ConfigError when `path` names another language; partial where lines do not parse."""
    check_language(path)
    facts = module_facts(code)
    topics = _topics(directives)
    concise = any(each.name == "concise" and each.wanted for each in directives)
    header = any(each.name == "header" and each.wanted for each in directives)
    defects = docstring_defects(facts)
    summaries = [_module(path, facts, topics, header)]
    summaries += [_class(each, facts, topics, header) for each in facts.classes]
    summaries += [_function(each, topics, concise, defects) for each in facts.functions if each.kind != "nested"]
    notes = [f"lines {each.line}–{each.end_line} do not parse: {each.reason}" for each in facts.unparsed]
    if not code.strip():
        notes.append("the file is empty")
    return CodeComments(
        path=path,
        summaries=tuple(sorted(summaries, key=lambda each: (each.line, each.scope != "module"))),
        lines=tuple(_line_annotations(facts, topics, concise)),
        directives=tuple(f"{'' if each.wanted else 'no '}{each.name}" for each in directives),
        partial=facts.unparsed,
        notes=tuple(notes),
    )


def _topics(directives: Iterable[Directive]) -> set[str]:
    topics = set(FIRST_TOPICS)
    for each in directives:
        if each.name in _TOPIC_OF:
            (topics.add if each.wanted else topics.discard)(_TOPIC_OF[each.name])
    return topics


def _module(path: str, facts: ModuleFacts, topics: set[str], header: bool) -> ScopeSummary:
    name = PurePath(path).stem
    sentence = first_sentence(facts.docstring) if facts.docstring else ""
    last = max(1, facts.line_count)
    source: Source = "docstring" if sentence else "inferred"
    found = [_statement("purpose", f"{sentence or module_purpose(facts, name)}.", 1, last, source)]
    if "structure" in topics:
        size = f"{facts.line_count} lines, {len(facts.classes)} classes, {len(facts.functions)} functions"
        found.append(_statement("structure", f"{size}.", 1, last))
        if header and facts.imports:
            found.append(_statement("structure", f"Depends on {', '.join(facts.imports[:8])}.", 1, last))
        if header and facts.has_main:
            found.append(_statement("structure", "Can be run as a script.", 1, last))
        if header and facts.constants:
            names = ", ".join(each.target for each in facts.constants[:8])
            found.append(
                _statement("structure", f"Constants: {names}.", facts.constants[0].line, facts.constants[-1].line)
            )
    hot = sorted((each for each in facts.functions if is_hot(each)), key=lambda each: -each.complexity)[:3]
    if hot and "complexity" in topics:
        listed = ", ".join(f"{each.qualname} ({each.complexity})" for each in hot)
        found.append(_statement("complexity", f"Most complex: {listed}.", hot[0].line, hot[0].end_line))
    found.extend(
        _statement("partial", f"Not analysed: {each.reason}.", each.line, each.end_line) for each in facts.unparsed
    )
    return ScopeSummary(scope="module", name=name, line=1, end_line=last, statements=tuple(found))


def _class(facts: ClassFacts, module: ModuleFacts, topics: set[str], header: bool) -> ScopeSummary:
    sentence = first_sentence(facts.docstring) if facts.docstring else ""
    source: Source = "docstring" if sentence else "inferred"
    found = [
        _statement("purpose", f"{sentence or class_purpose(facts)}.", facts.docstring_line or facts.line, None, source)
    ]
    if "structure" in topics:
        public = [name for name in facts.methods if not name.startswith("_")]
        if facts.bases:
            found.append(_statement("structure", f"Extends {', '.join(facts.bases)}.", facts.line))
        if public:
            found.append(
                _statement("structure", f"Public methods: {', '.join(public[:10])}.", facts.line, facts.end_line)
            )
        if header and facts.attributes:
            names = ", ".join(each.target for each in facts.attributes[:10])
            found.append(_statement("structure", f"Attributes: {names}.", facts.attributes[0].line, facts.end_line))
    untyped = sum(bool(each.untyped) for each in module.functions if each.class_name == facts.name)
    if "types" in topics and untyped:
        found.append(_statement("types", f"{untyped} methods have untyped names.", facts.line, facts.end_line))
    return ScopeSummary(
        scope="class", name=facts.qualname, line=facts.line, end_line=facts.end_line, statements=tuple(found)
    )


def _function(facts: FunctionFacts, topics: set[str], concise: bool, defects: Sequence[Defect]) -> ScopeSummary:
    statements = [each for each in function_statements(facts) if each.topic in topics]
    if concise:
        statements = [each for i, each in enumerate(statements) if each.topic not in {s.topic for s in statements[:i]}]
    for defect in defects:
        if defect.scope == facts.qualname and facts.line <= defect.line <= facts.end_line:
            text = f"The docstring is wrong: {defect.message} ({defect.evidence})."
            statements.append(_statement("defect", text, defect.line))
    return ScopeSummary(
        scope="function", name=facts.qualname, line=facts.line, end_line=facts.end_line, statements=tuple(statements),
        annotation=_annotation(facts, statements),
    )  # fmt: skip


def _annotation(facts: FunctionFacts, statements: Sequence[Statement]) -> dict[str, object]:
    """The statements in the form that the discriminator scores; parameters the docstring describes keep its words."""
    by_topic: dict[str, list[Statement]] = {}
    for each in statements:
        by_topic.setdefault(each.topic, []).append(each)
    documented = parse_docstring(facts.docstring) if facts.docstring else None
    described = {item.name: item.description for item in documented.params} if documented else {}
    # types, complexity and to-dos are remarks on the code, not claims about what it does: checked apart, as facts
    details = [s.text for topic in ("effects", "invariants") for s in by_topic.get(topic, ())]
    returned = None
    if "returns" in by_topic:
        kinds = (
            "generator"
            if facts.is_generator
            else facts.returns_annotation or " or ".join(returned_kinds(facts)) or None
        )
        returned = {"type": kinds, "description": by_topic["returns"][0].text}
    params = facts.visible_params if "params" in by_topic else ()
    raises = facts.raised if "raises" in by_topic else ()
    return {
        "summary": by_topic["purpose"][0].text if "purpose" in by_topic else "",
        "details": " ".join(details),
        "params": [
            {"name": p.name, "type": p.annotation, "description": described.get(p.name) or _default(p.default)}
            for p in params
        ],
        "returns": returned,
        "raises": [{"type": r.exception, "description": f"when {r.condition}" if r.condition else ""} for r in raises],
    }


def _default(default: str | None) -> str:
    return f"default {default}" if default is not None else "required"


def _line_annotations(facts: ModuleFacts, topics: set[str], concise: bool) -> list[LineAnnotation]:
    """Remarks on single lines: only what the line itself does not say."""
    found: list[LineAnnotation] = []

    def add(line: int, text: str, topic: str) -> None:
        found.append(LineAnnotation(line=line, text=text, source="fact", topic=topic))

    for each in facts.functions:
        for handler in each.caught:
            if handler.action == "pass":
                add(handler.line, f"{', '.join(handler.exceptions)} is swallowed here.", "raises")
        for effect in each.effects:
            if effect.kind in ("global", "environment"):
                add(effect.line, f"{effect.what} outlives this call.", "effects")
            elif effect.kind == "argument" and effect.certain:
                add(effect.line, f"The caller's {effect.what} is changed.", "effects")
        if each.deepest and each.deepest.depth >= 4 and "complexity" in topics:
            add(
                each.deepest.line,
                f"{each.deepest.depth} levels of control flow: the deepest of {each.name}.",
                "complexity",
            )
        if "invariants" in topics and not concise:
            for guard in each.guards:
                add(guard.line, f"From here on: not ({guard.condition}).", "invariants")
        if "types" in topics and each.untyped and not concise:
            add(each.line, f"Without a type: {', '.join(each.untyped)}.", "types")
    if "todo" in topics:
        for todo in facts.todos:
            add(todo.line, f"Open: {todo.text or todo.tag}", "todo")
    allowed = topics | {"raises", "effects"}
    unique = {(each.line, each.text): each for each in found if each.topic in allowed}
    return sorted(unique.values(), key=lambda each: each.line)


def _statement(topic: str, text: str, line: int, end_line: int | None = None, source: Source = "fact") -> Statement:
    return Statement(topic=topic, text=text, source=source, line=line, end_line=end_line or line)
