"""Names that a comment refers to, and whether the code knows them; parameters and defaults that it claims."""

from __future__ import annotations

import ast
import builtins
import math
import re

from agents.feedback.claims import Claim
from agents.feedback.summary_fit import Reading, llr
from agents.feedback.words import STOP_WORDS, common_prefix, content, identifier_parts, is_identifier_like, stem, words

__all__ = ["default_claim", "parameter_claims", "reference_features", "signature_claim"]

_MARKED = re.compile(r"(?:^|[\s(\[,])(?:``([\w.*]+)``|`([\w.*]+)['`]|\*(\w+)\*|'(\w+)'|\"(\w+)\")(?=[\s).,;:\]'?!]|$)")
_SIGNATURE = re.compile(r"\b(\w+)\(([\w\s,*.=\[\]]*)\)")
_DEFAULT = re.compile(
    r"\b(?i:defaults?)\b\s*(?:value\s*)?(?:is\s|are\s|to\s|of\s|[:=])*\s*[`(]{0,3}"
    r"(?:(?P<quote>['\"])(?P<quoted>.{0,60}?)(?P=quote)|(?P<value>True|False|None|-?\d+(?:\.\d+)?(?:e-?\d+)?)(?![\w.]*\w|\s?[%/*^]|-\w))",
)
_NAMED = re.compile(
    r"\b(?:if|when|unless|whether|[Ii]f|When|Unless)\s+[`*'\"]*(\w+)[`*'\"]*\s+(?:is|are|was|has|==|=|does|contains)\b"
    r"|[`*'\"]*\b(\w+)[`*'\"]*\s+(?:arguments?|parameters?|keyword|option|flag|kwarg|must be|should be|defaults to"
    r"|may be|can be|specifies|determines|controls|indicates)\b"
    r"|\b(?:arguments?|parameters?|keyword|flag|by|option)\s+[`*'\"]+(\w+)"
    r"|(?:^|\s|[-*])(\w+)\s?:\s"
    r"|\b(\w+)(?:==| == |=)(?=\S)"
)
_EXAMPLE = re.compile(r"\bExamples?\b.{0,20}::?\s|>>>|::\s")
_KNOWN = frozenset(dir(builtins)) | frozenset(
    [
        "self", "cls", "args", "kwargs", "numpy", "np", "ndarray", "dataframe", "pandas", "scipy", "json", "yaml",
        "url", "http", "https", "utf8", "unicode", "ascii", "ok", "nan", "inf", "true", "false", "none", "iterable",
        "callable", "sequence", "mapping", "array", "file-like", "bytes-like", "file_like", "datetime", "timedelta"
    ]
)  # fmt: skip


def parameter_claims(reading: Reading, params: list[dict[str, object]]) -> list[Claim]:
    """One claim for each documented parameter, one more for each default that it names."""
    facts = reading.facts
    known = {param.name: param for param in facts.params}
    by_keyword = any(param.kind == "var_keyword" for param in facts.params)
    own = set(re.findall(r"\b[A-Za-z_]\w*\b", reading.source))
    # one strange name may be a mistake; several are a list of what the keywords are passed on to
    passed_on = sum(str(entry.get("name") or "").strip("*`\\ ") not in {*known, *own} for entry in params)
    claims: list[Claim] = []
    for entry in params:
        name = str(entry.get("name") or "").strip().lstrip("*\\").strip("`")
        for single in filter(None, re.split(r"\s*[,/]\s*|\s+or\s+|\s+and\s+", name)):
            param = known.get(single)
            if param is not None:
                claims.append(Claim(kind="param", text=single, status="supported", line=param.line))
                text = f"{entry.get('type') or ''}. {entry.get('description') or ''}"
                if (wrong := default_claim(single, param.default, text, param.line, reading.source)) is not None:
                    claims.append(wrong)
            elif by_keyword and single.isidentifier():
                settled = single in own or passed_on > 1
                claims.append(
                    Claim(
                        kind="param", text=single, status="unverifiable" if settled else "unsupported", line=facts.line,
                        evidence=f"only **keywords could take it{'' if settled else '; the body never names it'}",
                    )
                )  # fmt: skip
            else:
                names = ", ".join(param.name for param in facts.visible_params) or "none"
                claims.append(
                    Claim(
                        kind="param", text=single, status="contradicted", line=facts.line,
                        evidence=f"the signature has no parameter {single!r} (it has: {names})",
                        fix=f"document {_missing(reading, params)}" if _missing(reading, params) else "remove it",
                    )
                )  # fmt: skip
    return claims


def _missing(reading: Reading, params: list[dict[str, object]]) -> str:
    documented = {str(entry.get("name") or "").lstrip("*") for entry in params}
    return ", ".join(
        param.name
        for param in reading.facts.visible_params
        if param.name not in documented and not param.kind.startswith("var_")
    )


def default_claim(name: str, actual: str | None, text: str, line: int, source: str) -> Claim | None:
    """A claim for the default that `text` names, None when it names none that can be compared.

    Both sides must be literals: `default: 5` against `DEFAULT_SIZE` proves nothing. `default=None` that is replaced in
    the body is often documented by the value it is replaced with, so only another literal counts as contradiction.
    """
    match = _DEFAULT.search(text)
    if match is None:
        return None
    claimed = match["value"] or match["quoted"] or ""
    claimed_value = claimed if match["quote"] else _literal(claimed)
    if actual is None:
        return None
    actual_value = _literal(actual)
    if actual_value is _NOT_LITERAL or claimed_value is _NOT_LITERAL:
        return None
    if actual_value == claimed_value or str(actual_value) == str(claimed_value):
        return Claim(kind="default", text=f"{name} = {claimed}", status="supported", line=line)
    if actual_value is None:
        body = source.partition("\n")[2]
        if re.search(rf"(?<!\w){re.escape(str(claimed_value))}(?!\w)", body) or isinstance(claimed_value, str):
            return None
        return Claim(
            kind="default", text=f"{name} = {claimed}", status="unsupported", line=line, doubt=0.5,
            evidence=f"the signature says {name}=None, and the body never names {claimed}",
            fix="say None, or what it becomes",
        )  # fmt: skip
    return Claim(
        kind="default", text=f"{name} = {claimed}", status="contradicted", line=line,
        evidence=f"the signature says {name}={actual}", fix=f"say {actual} instead of {claimed}",
    )  # fmt: skip


_NOT_LITERAL = object()


def _literal(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return _NOT_LITERAL


def code_tokens(reading: Reading) -> frozenset[str]:
    """Every word of the source in lower case, whole and in parts."""
    whole = set(re.findall(r"[A-Za-z_]\w*", reading.source))
    parts = {part for token in whole for part in identifier_parts(token)}
    return frozenset({token.lower() for token in whole} | {token.strip("_").lower() for token in whole} | parts)


def reference_features(reading: Reading) -> dict[str, float]:
    """Features of the names in the prose: what is written like a name of the code but is nowhere in the code.

    A foreign name alone is common in good prose (another function, a file format); a foreign name where a parameter
    of the signature goes unmentioned is what a wrong parameter looks like: the products `*_gap`.
    """
    prose = _EXAMPLE.split(reading.prose)[0]
    lexicon = reading.lexicon
    tokens = code_tokens(reading)
    stems = {stem(token) for token in tokens}

    def foreign(token: str) -> bool:
        low = token.strip("*_.").lower()
        last = low.rsplit(".", 1)[-1]
        known = {last, last.removesuffix("s"), last.removesuffix("es"), last + "s"}
        return bool(last) and not last.isdigit() and not known & tokens and not known & _KNOWN

    marked = [next(filter(None, groups)) for groups in _MARKED.findall(prose)]
    marked = [token for token in marked if token[:1].islower() and "." not in token]
    snake = [t for t in re.findall(r"(?<![.\w:`~])[a-z]\w*", prose) if "_" in t.strip("_") and is_identifier_like(t)]
    named = [
        t for groups in _NAMED.findall(prose) for t in groups if t and t.lower() not in STOP_WORDS and t[0].islower()
    ]
    listed = _listed(prose, {param.name for param in reading.facts.visible_params} | reading.facts.names)
    plain = content(words(prose))
    lower_words = re.findall(r"(?<![\w.:~/-])[a-z]{2,}(?![\w(/-]|\.\w)", prose)
    odd = [
        w
        for w in lower_words
        if w not in STOP_WORDS and foreign(w) and stem(w) not in stems and stem(w) not in reading.code
    ]
    distinct = {stem(word) for word in odd}
    unknown = {word for word in distinct if word not in lexicon.known}
    likeness = {word: lexicon.param_likeness(word) for word in distinct}
    ratios = sorted(llr(word, reading) for word in distinct)
    out = {group: {token for token in found if foreign(token)} for group, found in
           (("marked", marked), ("snake", snake), ("named", named), ("listed", listed))}  # fmt: skip
    gap, mention = _mention_features(reading, prose)
    alike = max((lexicon.param_likeness(stem(t)) for group in out.values() for t in group), default=0.0)
    often = math.log(max((_count(token, prose) for group in out.values() for token in group), default=1))
    odd_often = math.log(max((sum(stem(w) == word for w in odd) for word in distinct), default=1))
    found = {f"foreign_{name}": float(min(2, len(group))) for name, group in out.items()}
    found |= {f"{name}_gap": min(1, len(group)) * gap for name, group in out.items()}
    return {
        **found,
        "known_marked": math.log1p(len(set(marked) - out["marked"])),
        "known_snake": math.log1p(len(set(snake) - out["snake"])),
        "known_named": float(min(2, len(set(named) - out["named"]))),
        "foreign_likeness": alike,
        "foreign_often": often,
        "foreign_likeness_gap": alike * gap,
        "foreign_often_gap": often * gap,
        "odd_often": odd_often,
        "odd_often_gap": odd_often * gap,
        "max_likeness": max(likeness.values(), default=0.0),
        "max_likeness_gap": max(likeness.values(), default=0.0) * gap,
        "mean_likeness": sum(likeness.values()) / (len(distinct) + 3),
        "unknown": math.log1p(len(unknown)),
        "unknown_gap": min(1, len(unknown)) * gap,
        "unknown_share": len(unknown) / (len(set(plain)) + 3),
        "odd_share": len(distinct) / (len(set(plain)) + 3),
        "odd_llr": sum(ratios[:4]) / max(1, len(ratios[:4])),
        "length": math.log1p(len(plain)),
        **mention,
    }


def _count(token: str, prose: str) -> int:
    return max(1, len(re.findall(rf"\b{re.escape(token.strip('*'))}\b", prose)))


def _listed(prose: str, known: set[str]) -> list[str]:
    """Words that stand in one comma list with a known name: `passwd` in `(user, passwd, acct)`."""
    found: list[str] = []
    for group in re.findall(r"\(([\w\s,*.`']{3,80})\)|\b((?:\w+, )+(?:and |or )?\w+)", prose):
        items = [item.strip(" *`'.") for item in re.split(r",|\band\b|\bor\b", group[0] or group[1])]
        items = [item for item in items if re.fullmatch(r"[a-z]\w*", item)]
        if len(items) > 1 and any(item in known for item in items):
            found.extend(items)
    return found


def _mention_features(reading: Reading, prose: str) -> tuple[float, dict[str, float]]:
    """How many parameters go unmentioned (0 none, 1 all), and features of which ones are mentioned."""
    params = reading.facts.visible_params
    written = set(re.findall(r"\w+", f"{prose} {reading.structured}")) | reading.documented
    lower = {token.lower() for token in written}
    stems = {stem(token) for token in lower}
    stems |= {stem(part) for token in written for part in identifier_parts(token)}

    def strictly(name: str) -> bool:
        low = name.lower()
        return name in written or (len(low) > 1 and bool({low, low + "s", low.removesuffix("s")} & lower))

    def loosely(name: str) -> float:
        parts = [stem(part) for part in identifier_parts(name)]
        if stem(name.lower().strip("_")) in stems or (parts and all(part in stems for part in parts)):
            return 1.0
        soft = max((reading.lexicon.translation(part, word) for part in parts for word in stems), default=0.0)
        return min(0.8, max(3.0 * soft, 0.4 * any(part in stems for part in parts)))

    strict = [1.0 if strictly(param.name) else 0.0 for param in params]
    loose = [max(a, loosely(param.name)) for a, param in zip(strict, params, strict=True)]
    required = [value for value, param in zip(strict, params, strict=True) if param.default is None]
    entries = 1.0 if reading.documented else 0.0
    in_prose = set(re.findall(r"\w+", prose))
    features = {
        "strict": sum(strict) / len(strict) if strict else 0.0,
        "loose": sum(loose) / len(loose) if loose else 0.0,
        "strict_required": sum(required) / len(required) if required else 0.0,
        "first_strict": strict[0] if strict else 0.0,
        "first_loose": loose[0] if loose else 0.0,
        "prose_names_one": 1.0 if any(param.name in in_prose for param in params) else 0.0,
        "none_strict": 1.0 if strict and not any(strict) else 0.0,
        "one_gap": 1.0 if len(strict) > 1 and sum(strict) == len(strict) - 1 else 0.0,
        "no_params": 0.0 if strict else 1.0,
        "entries": entries,
    }
    gap = 1.0 - features["strict"] if strict else 0.3
    return (0.0 if entries and gap == 0 else gap), features


def signature_claim(reading: Reading) -> Claim | None:
    """A claim when the prose writes a call of this very function with another name in the place of a parameter."""
    positional = [param.name for param in reading.facts.visible_params if param.kind.startswith("positional")]
    for called, inside in _SIGNATURE.findall(_EXAMPLE.split(reading.prose)[0]):
        if called != reading.facts.name:
            continue
        arguments = [re.sub(r"[=\[(].*", "", argument).strip(" []*") for argument in inside.split(",")]
        for argument, param in zip(arguments, positional, strict=False):
            low, name = argument.lower(), param.lower()
            alike = (
                low in name
                or name in low
                or common_prefix(low, name) >= 3
                or reading.lexicon.translation(name, stem(low))
            )
            if not re.fullmatch(r"[a-z_]\w+", argument) or low in reading.code or argument in positional or alike:
                continue
            return Claim(
                kind="reference", text=f"{called}({inside.strip()})", status="unsupported", line=reading.facts.line,
                evidence=f"the signature has {param!r} where the comment has {argument!r}", doubt=0.75,
                fix=f"write the call as {called}({', '.join(positional)})",
            )  # fmt: skip
    return None
