"""Names in what a model says that exist neither in the case nor in what it was shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from agents.guards.facts import metrics_of
from agents.roles import Case
from core.errors import nearest
from core.records import Config, Experiment

__all__ = ["ID", "unknown_files", "unknown_ids", "unknown_names", "unknown_trials"]

QUOTED = re.compile(r"`([A-Za-z_][\w.\-]{1,60})`|(?<!\w)(['\"])([A-Za-z_][\w.\-]{1,60})\2(?!\w)")
ASSIGNED = re.compile(r"(?<![\w.\-])([A-Za-z_]\w{0,60})\s*={1,2}\s*([`'\"]?)([\w.+\-]{1,60})\2")
ID = re.compile(r"(?<![\w\-])[ptl]-[0-9a-f]{3,12}(?![\w\-])")
FILE = re.compile(r"(?<![\w.])[\w./\-]*\w\.(?:py|pyi|json|ya?ml|toml|csv|txt|md|sh|log|ipynb|pt|pkl)(?![\w])")
WORDS = ("explore", "exploit", "recover", "baseline", "true", "false", "none", "seed")


def unknown_names(text: str, case: Case, shown: Iterable[str] = ()) -> list[str]:
    """Names in quotes or backticks, or given a value, that are no parameter, option, metric, id or role here.

    `shown` are names and texts that the model was shown: what stands in them as a whole word is known.
    """
    known, seen = _known(case), list(shown)
    options = {
        name: [str(o) for o in spec["options"]] for name, spec in case.campaign.space.items() if "options" in spec
    }
    said = [plain or quoted for plain, _, quoted in QUOTED.findall(text)]
    assigned = [(name, value) for name, _, value in ASSIGNED.findall(text)]
    faults = []
    for name in dict.fromkeys((*said, *(name for name, _ in assigned))):
        if (
            name.lower() not in known
            and not ID.fullmatch(name)
            and not FILE.fullmatch(name)
            and not _stands(name, seen)
        ):
            hint = nearest(name, case.space.names)
            faults.append(f"there is no {name!r} in this campaign; {hint}; put words that are no names without quotes")
    for name, value in dict.fromkeys(assigned):
        value = value.rstrip(".-+")
        if name in options and value not in options[name] and not _stands(value, seen):
            faults.append(f"{name} has no option {value!r}; {nearest(value, options[name])}")
    return faults


def unknown_ids(ids: Iterable[str], case: Case, shown: Iterable[str] = ()) -> list[str]:
    """Ids of trials and memories that nobody was told of; the beginning of one id that there is will do."""
    seen = list(shown)
    known = {
        *(e.proposal.id for e in case.history),
        *(p.id for p in case.proposals),
        *(x.id for x in case.lessons),
        *seen,
    }
    known |= {found for text in seen for found in ID.findall(text)}
    return [
        f"there is no trial or memory {name}"
        for name in dict.fromkeys(ids)
        if name not in known and not _begins(name, known)
    ]


def unknown_trials(ids: Iterable[str], case: Case, experiments: Sequence[Experiment] = ()) -> list[str]:
    """Ids given as evidence that are no finished trial: a proposal proves nothing about itself."""
    known = {e.proposal.id for e in (*case.history, *experiments)}
    return [
        f"{name} is no finished trial: evidence is the id of one" for name in dict.fromkeys(ids) if name not in known
    ]


def unknown_files(text: str, case: Case, shown: Iterable[str] = ()) -> list[str]:
    """Files named in `text` that are neither in the campaign's command nor in a proposal, nor were shown."""
    seen = [*case.campaign.command, *shown, *(path for p in (*case.proposals, *case.applied) for path in p.files)]
    return [f"there is no file {name!r} here" for name in dict.fromkeys(FILE.findall(text)) if not _stands(name, seen)]


def _known(case: Case) -> set[str]:
    known = {*case.space.names, *metrics_of(case), *WORDS, case.campaign.name, *(p.proposer for p in case.proposals)}
    known |= {str(option) for spec in case.campaign.space.values() for option in spec.get("options", ())}
    known |= {str(value) for config in _configs(case) for value in config.values()}
    known |= {e.proposal.proposer for e in case.history} | {vote.voter for vote in case.votes}
    return {name.lower() for name in known}


def _configs(case: Case) -> list[Config]:
    return [*(e.config for e in case.history), *(p.config for p in case.proposals), case.campaign.baseline]


def _stands(name: str, texts: Iterable[str]) -> bool:
    """Whether `name` is one of the texts, or a whole word in one."""
    word = re.compile(rf"(?<![\w.\-]){re.escape(name)}(?![\w\-])")
    return any(name == text or word.search(text) for text in texts)


def _begins(name: str, known: Iterable[str]) -> bool:
    return len(name) >= 5 and sum(one.startswith(name) for one in known) == 1
