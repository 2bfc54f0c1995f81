"""Edits of real functions, and what can be wrong with a patch that asks for them: for benchmarks/patches.py.

A line has a number that stays with it whatever happens to the file, so that what is right can be told without the code
under test: what happened to the file, done to the edited lines.
"""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from agents.code.diff import unified_diff
from agents.code.syntax import definitions

PATH = "m.py"
Line = tuple[int, str]
"""A number that stays with the line whatever happens to the file (below 0: a new line), and its text."""
Lines = list[Line]


@dataclass(frozen=True)
class Sample:
    """An edit of one function, which is `base[start:end]`; `touched` are the numbers of the lines that it changes."""

    base: Lines
    edited: Lines
    start: int
    end: int
    touched: frozenset[int]
    name: str


@dataclass(frozen=True)
class Trial:
    """What is asked (`answer`) of `file`, and what is right (None: to refuse)."""

    answer: str
    file: str
    right: str | None


def same(first: str, second: str) -> bool:
    try:
        return ast.dump(ast.parse(first)) == ast.dump(ast.parse(second))
    except SyntaxError:
        return False


def numbered(text: str) -> Lines:
    return list(enumerate(text.split("\n")[:-1]))


def text_of(lines: Lines) -> str:
    return "".join(f"{text}\n" for _, text in lines)


def draw(files: list[Lines], rng: random.Random, *, lines: Lines | None = None) -> Sample | None:
    """One to three changes of statements in a function of at least five lines."""
    lines = lines or rng.choice(files)
    code = text_of(lines)
    found = [
        each for each in definitions(code) if each.end - each.start > 5 and not isinstance(each.node, ast.ClassDef)
    ]
    if not found:
        return None
    definition = rng.choice(found)
    simple = [
        node for node in ast.walk(definition.node)
        if isinstance(node, ast.Assign | ast.Return | ast.Expr | ast.AugAssign) and node.value is not None
        and node.lineno == node.end_lineno and node.value.col_offset < node.value.end_col_offset
        and not isinstance(node.value, ast.Constant | ast.Yield | ast.YieldFrom) and lines[node.lineno - 1][1].isascii()
        and lines[node.lineno - 1][1].strip().startswith(ast.unparse(node)[:4])
    ]  # fmt: skip
    if len(simple) < 2:
        return None
    edited = dict(enumerate([line] for line in lines))
    touched: set[int] = set()
    for node in rng.sample(simple, min(len(simple) - 1, rng.choice((1, 1, 2, 3)))):
        at = node.lineno - 1
        text, value = lines[at][1], node.value
        new, kept = changed(text, value, rng)
        edited[at] = [*new, lines[at]] if kept else new
        touched.add(at)
    after = [line for at in sorted(edited) for line in edited[at]]
    return Sample(lines, after, definition.start, definition.end, frozenset(touched), definition.qualname)


def changed(text: str, value: ast.expr, rng: random.Random) -> tuple[Lines, bool]:
    """New lines in the place of one, and whether that one follows them."""
    indent = text[: len(text) - len(text.lstrip())]
    name = next((node.id for node in ast.walk(value) if isinstance(node, ast.Name)), "None")
    match rng.randrange(4):
        case 0:
            start, end = value.col_offset, value.end_col_offset
            return [(-1, f"{text[:start]}tuned({text[start:end]}){text[end:]}")], False
        case 1:
            return [(-1, f"{indent}note({name})")], True
        case 2:
            return [(-1, f"{indent}if ready():"), (-1, f"{indent}    note('step')")], True
        case _:
            return [(-1, f"{indent}pass")], False


def block(search: list[str], replacement: list[str]) -> str:
    return "\n".join([PATH, "<<<<<<< SEARCH", *search, "=======", *replacement, ">>>>>>> REPLACE", ""])


def quoted(sample: Sample, context: int | None) -> tuple[list[str], list[str]]:
    """What a block quotes and what it puts there: the touched lines with some around them, or the whole function."""
    first, last = (sample.start, sample.end) if context is None else (
        max(0, min(sample.touched) - context), min(len(sample.base), max(sample.touched) + 1 + context),
    )  # fmt: skip
    numbers = [number for number, _ in sample.edited]
    grown = len(sample.edited) - len(sample.base)
    assert numbers[:first] == [number for number, _ in sample.base[:first]]
    return [text for _, text in sample.base[first:last]], [text for _, text in sample.edited[first : last + grown]]


def answered(sample: Sample, rng: random.Random) -> str:
    kind = rng.randrange(6)
    if kind == 0:
        return unified_diff({PATH: text_of(sample.base)}, {PATH: text_of(sample.edited)})
    if kind == 1:
        diff = unified_diff({PATH: text_of(sample.base)}, {PATH: text_of(sample.edited)})
        return re.sub(
            r"@@ .* @@", lambda _: f"@@ -{rng.randrange(400)},{rng.randrange(9)} +{rng.randrange(400)},7 @@", diff
        )
    return block(*quoted(sample, rng.choice((0, 1, 2, 3)) if kind < 4 else None))


def asked_as_it_is(
    happened: Callable[[Lines, Sample, random.Random], Lines | None],
) -> Callable[[Sample, random.Random], Trial | None]:
    """The file has moved on by `happened`, which the author has not seen."""

    def make(sample: Sample, rng: random.Random) -> Trial | None:
        seed = rng.random()
        file = happened(sample.base, sample, random.Random(seed))
        right = happened(sample.edited, sample, random.Random(seed))
        if (
            file is None
            or right is None
            or not same(text_of(right), text_of(right))
            or same(text_of(file), text_of(right))
        ):
            return None
        return Trial(answered(sample, rng), text_of(file), text_of(right))

    return make


def misquoted(
    spoil: Callable[[list[str], random.Random], list[str] | None],
) -> Callable[[Sample, random.Random], Trial | None]:
    """The file is as it was, and the author quotes it badly, in the old and the new lines alike."""

    def make(sample: Sample, rng: random.Random) -> Trial | None:
        search, replacement = quoted(sample, rng.choice((2, 3, 4, None, None)))
        seed = rng.random()
        old, new = spoil(search, random.Random(seed)), spoil(replacement, random.Random(seed))
        right = text_of(sample.edited)
        if old is None or new is None or old == new or not same(right, right) or same(text_of(sample.base), right):
            return None
        return Trial(block(old, new), text_of(sample.base), right)

    return make


def nothing(lines: Lines, sample: Sample, rng: random.Random) -> Lines:
    return lines


def drift(lines: Lines, sample: Sample, rng: random.Random) -> Lines:
    """Imports, constants and a function come above."""
    count = rng.randrange(1, 60)
    at = next(at for at, (_, text) in enumerate(lines) if text.startswith(("def ", "class ", "async def ", "@")))
    return [
        *lines[:at],
        *((-2, f"DRIFT_{number} = {number}") for number in range(count)),
        (-2, ""),
        (-2, ""),
        *lines[at:],
    ]


def renamed_neighbours(lines: Lines, sample: Sample, rng: random.Random) -> Lines:
    """Every other function of the file has another name."""
    own = sample.name.rsplit(".", 1)[-1]
    names = {each.qualname.rsplit(".", 1)[-1] for each in definitions(text_of(sample.base))} - {own}
    names = {name for name in names if not name.startswith("__")}
    if not names:
        return lines
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(names)))})\b")
    inside = {number for number, _ in sample.base[sample.start : sample.end]}
    return [
        (number, text if number in inside or number < 0 else pattern.sub(lambda f: f"{f[0]}_v2", text))
        for number, text in lines
    ]


def renamed_variable(lines: Lines, sample: Sample, rng: random.Random) -> Lines | None:
    """A local variable or parameter of the function has another name, everywhere in it, so in the new lines too."""
    code = text_of(sample.base)
    node = next(each.node for each in definitions(code) if each.qualname == sample.name and each.start == sample.start)
    names = sorted(
        {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    )
    if not names:
        return None
    name = rng.choice(names)
    # not as an attribute, not as a keyword of a call, not within a string
    pattern = re.compile(rf"""("[^"]*"|'[^']*')|(?<![.\w]){re.escape(name)}(?!\w|=[^=])""")
    inside = {number for number, _ in sample.base[sample.start : sample.end]} | {-1}
    file = [
        (number, pattern.sub(lambda f: f[1] or "renamed_v2", text) if number in inside else text)
        for number, text in lines
    ]
    strings = [each for each in ast.walk(node) if isinstance(each, ast.JoinedStr)]
    return None if any(name in ast.unparse(each) for each in strings) else file


def other_lines(sample: Sample) -> list[int]:
    """Lines of simple statements in the function that the edit leaves alone, not next to one that it touches."""
    code = text_of(sample.base)
    node = next(each.node for each in definitions(code) if each.qualname == sample.name and each.start == sample.start)
    lines = {
        each.lineno - 1 for each in ast.walk(node)
        if isinstance(each, ast.Assign | ast.Expr | ast.Return | ast.AugAssign) and each.lineno == each.end_lineno
        and not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
    }  # fmt: skip
    return sorted(at for at in lines if all(abs(at - other) > 1 for other in sample.touched))


def stale_insertion(lines: Lines, sample: Sample, rng: random.Random) -> Lines | None:
    """Somebody added a statement to the function, elsewhere in it."""
    return beside(lines, sample, rng, lambda line: [(-2, f"{margin(line[1])}seen_elsewhere()"), line])


def stale_change(lines: Lines, sample: Sample, rng: random.Random) -> Lines | None:
    """Somebody changed another statement of the function."""
    return beside(
        lines, sample, rng, lambda line: [(line[0], f"{margin(line[1])}seen_elsewhere({line[1].split()[0]!r})")]
    )


def stale_deletion(lines: Lines, sample: Sample, rng: random.Random) -> Lines | None:
    """Somebody took another statement of the function away."""
    return beside(lines, sample, rng, lambda line: [(-2, f"{margin(line[1])}pass")])


def margin(text: str) -> str:
    return text[: len(text) - len(text.lstrip())]


def beside(lines: Lines, sample: Sample, rng: random.Random, put: Callable[[Line], Lines]) -> Lines | None:
    chosen = rng.sample(others, 1) if (others := other_lines(sample)) else None
    return None if chosen is None else [new for line in lines for new in (put(line) if line[0] in chosen else [line])]


def collision(sample: Sample, rng: random.Random) -> Trial | None:
    """Somebody rewrote one of the very lines that the edit replaces: only a refusal is right."""
    replaced = sorted(sample.touched - {number for number, _ in sample.edited})
    if not replaced:
        return None
    at = rng.choice(replaced)
    file = [
        (number, f"{margin(text)}seen_elsewhere({number})" if number == at else text) for number, text in sample.base
    ]
    return Trial(answered(sample, rng), text_of(file), None)


def gone(sample: Sample, rng: random.Random) -> Trial | None:
    """The function is not there any more."""
    file = text_of([*sample.base[: sample.start], *sample.base[sample.end :]])
    return Trial(answered(sample, rng), file, None) if same(file, file) else None


def twin(sample: Sample, rng: random.Random) -> Trial | None:
    """A copy of the function stands above it under another name; a block with its context cannot mean one of them."""
    if "." in sample.name:
        return None
    own = re.compile(rf"\b{re.escape(sample.name)}\b")
    copy = [(-2, own.sub(f"{sample.name}_twin", text)) for _, text in sample.base[sample.start : sample.end]]
    file = [*sample.base[: sample.start], *copy, (-2, ""), (-2, ""), *sample.base[sample.start :]]
    right = [*sample.edited[: sample.start], *copy, (-2, ""), (-2, ""), *sample.edited[sample.start :]]
    return Trial(answered(sample, rng), text_of(file), text_of(right))


def reformatted(sample: Sample, rng: random.Random) -> Trial | None:
    """The author quotes the whole function as Python would print it, without comments."""
    old, new = quoted(sample, None)
    try:
        printed = [ast.unparse(ast.parse("\n".join(unindented(lines)))).split("\n") for lines in (old, new)]
    except SyntaxError:
        return None
    right = text_of(sample.edited)
    return (
        None
        if printed[0] == printed[1] or not same(right, right)
        else Trial(block(*printed), text_of(sample.base), right)
    )


def unindented(lines: list[str]) -> list[str]:
    width = min((len(margin(line)) for line in lines if line.strip()), default=0)
    return [line[width:] for line in lines]


def at_margin(lines: list[str], rng: random.Random) -> list[str] | None:
    return unindented(lines) if any(line.strip() for line in lines) else None


def two_blanks(lines: list[str], rng: random.Random) -> list[str]:
    return [margin(line)[: len(margin(line)) // 2] + line.strip() for line in lines]


def tabs(lines: list[str], rng: random.Random) -> list[str]:
    return [margin(line).replace("    ", "\t") + line.strip() for line in lines]


def trailing_blanks(lines: list[str], rng: random.Random) -> list[str]:
    return [f"{line}  " if line.strip() and not line.endswith("\\") else line for line in lines]


def without_comments(lines: list[str], rng: random.Random) -> list[str] | None:
    kept = [re.sub(r"  # .*$", "", line) for line in lines if not line.strip().startswith("#")]
    return kept if kept != lines else None


def without_blank_lines(lines: list[str], rng: random.Random) -> list[str] | None:
    kept = [line for line in lines if line.strip()]
    return kept if kept != lines else None


def other_quotes(lines: list[str], rng: random.Random) -> list[str] | None:
    turned = [re.sub(r"(?<!\")\"([^\"'\\]*)\"(?!\")", r"'\1'", line) for line in lines]
    return turned if turned != lines else None


def a_typo(lines: list[str], rng: random.Random) -> list[str] | None:
    """A word of one line that is not touched is written otherwise."""
    may = [at for at, line in enumerate(lines) if len(line.strip()) > 12 and at < 2]
    if not may or len(lines) < 4:
        return None
    at = may[0]
    words = re.findall(r"[A-Za-z]{4,}", lines[at])
    return (
        [line.replace(words[-1], words[-1][:-1]) if number == at else line for number, line in enumerate(lines)]
        if words
        else None
    )


CONDITIONS: dict[str, Callable[[Sample, random.Random], Trial | None]] = {
    "file as quoted": asked_as_it_is(nothing),
    "lines moved": asked_as_it_is(drift),
    "neighbours renamed": asked_as_it_is(renamed_neighbours),
    "variable renamed": asked_as_it_is(renamed_variable),
    "statement added elsewhere": asked_as_it_is(stale_insertion),
    "statement changed elsewhere": asked_as_it_is(stale_change),
    "statement gone elsewhere": asked_as_it_is(stale_deletion),
    "quoted at the margin": misquoted(at_margin),
    "quoted with half the indent": misquoted(two_blanks),
    "quoted with tabs": misquoted(tabs),
    "quoted with trailing blanks": misquoted(trailing_blanks),
    "quoted without comments": misquoted(without_comments),
    "quoted without blank lines": misquoted(without_blank_lines),
    "quoted with other quotes": misquoted(other_quotes),
    "quoted with a typo": misquoted(a_typo),
    "quoted reformatted": reformatted,
    "a twin above": twin,
    "same line changed (refuse)": collision,
    "function gone (refuse)": gone,
}
