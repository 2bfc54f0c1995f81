"""The words of the session, and what a typed line says: a command, guidance, or nothing."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from core.errors import UsageError, nearest

__all__ = ["WORDS", "Said", "Word", "council_hint", "read_line", "shortened", "split"]


@dataclass(frozen=True)
class Word:
    """A command: what it takes, what it does, and its other names."""

    name: str
    takes: str
    does: str
    also: tuple[str, ...] = ()


WORDS = (
    Word("run", "[FILE] [n]", "run the campaign, n more cycles of it; the prompt stays usable"),
    Word("stop", "[now]", "stop after this stage, with a checkpoint; `now` ends the running jobs"),
    Word("pause", "", "the same as stop: `resume` goes on"),
    Word("resume", "[ID] [n]", "go on with a campaign where it was left"),
    Word("wait", "", "until the running campaign ends, for piped commands"),
    Word("open", "FILE|ID", "the campaign that the other words are about"),
    Word("guide", "TEXT", "say something to the council, for its next cycle; any other text does the same"),
    Word("steer", "TEXT", "the same, for its next node: in the middle of a cycle"),
    Word("drop", "g7", "take guidance back"),
    Word("guidance", "", "what was said, and what came of it"),
    Word("inbox", "[ID]", "what waits for a person"),
    Word("accept", "[ID] [campaign|project]", "say yes; with a scope, from now on", ("a", "approve")),
    Word("edit", "[ID] [key=value …]", "say yes to something else, without values in $EDITOR", ("e",)),
    Word("respond", "[ID] TEXT", "say no, and tell the council why", ("r",)),
    Word("ignore", "[ID] [REASON]", "say no", ("i",)),
    Word("approvals", "[forget RULE]", "the answers that are remembered"),
    Word("mode", "human|confirm|auto", "what has to be asked, from the next run on"),
    Word("status", "[ID]", "how the campaign stands"),
    Word("best", "", "the best so far, with its configuration"),
    Word("trend", "[METRIC]", "a metric over the trials"),
    Word("history", "[ID|all]", "every trial, or all campaigns"),
    Word("compare", "[d1] [d2]", "two trials side by side (default: the best and the baseline)"),
    Word("why", "d17", "why a proposal was made, how it was voted on, and what came of it"),
    Word("show", "ID", "a campaign, proposal or job, whole"),
    Word("agents", "", "who sits in the council, and who was right"),
    Word("jobs", "", "what was run, and what runs"),
    Word("logs", "j3", "what a job printed"),
    Word("memory", "TEXT", "what was remembered that is like a text"),
    Word("feedback", "FILE [n]", "comment a Python file, in n rounds"),
    Word("undo", "", "take back the last change of your files that this program made"),
    Word("redo", "", "make it again"),
    Word("rewind", "[ID] [POINT]", "what going back in a campaign would mean; with --fork a new one begins there"),
    Word("set", "KEY VALUE", "a setting, or a key of the next campaign such as limits.time_s"),
    Word("model", "NAME", "the language model of the next campaign: none, auto, ollama:NAME, …"),
    Word("save", "[FILE.html]", "write the report; the campaign itself is always saved"),
    Word("help", "[COMMAND]", "this, or the options of a command", ("?",)),
    Word("quit", "", "leave; what runs is stopped after this stage", ("exit", "q")),
)

BY_NAME = {name: word.name for word in WORDS for name in (word.name, *word.also)}
ELSEWHERE = ("serve", "mcp", "control-plane", "demo", "evolve", "completion", "watch")
"""Commands of the command line that keep a terminal to themselves."""

FIRST_PERSON = """
am believe do don't dont doubt expect feel guess hate have hope know like love mean need prefer see suggest suspect
think want wish would
"""
"""After these, `i` is a person who speaks, and not the short form of `ignore`."""

MOST_TOLD = 300
"""Characters of a typed text that are told again."""

TYPING_ERROR = 0.75
"""How alike a single word must be to a command to be taken for a mistyped one."""


@dataclass(frozen=True)
class Said:
    """A command and what follows it, as it was typed.  Without a command, nothing was said."""

    command: str = ""
    rest: str = ""


def read_line(line: str, others: frozenset[str] = frozenset()) -> Said:
    """What a line says.  `others` are commands of the command line, which are taken too.

    A `#` line is a comment.  Text that is no command is guidance; only a single word that is nearly a command, and
    one that begins with `/`, is an error.  Raises UsageError.
    """
    text = line.strip()
    if not text or text.startswith("#"):
        return Said()
    slashed = text.startswith("/")
    first, _, rest = text[1 if slashed else 0 :].partition(" ")
    word = first.lower()
    if word == "i" and not slashed and rest and (first == "I" or rest.split()[0].lower() in FIRST_PERSON.split()):
        return Said("guide", text)
    if word in BY_NAME:
        return Said(BY_NAME[word], rest.strip())
    if word in ELSEWHERE:
        raise UsageError(
            f"{word} needs a terminal of its own", where="session", hint=f"`python run_graph.py {word}` in another one"
        )
    if word in others and (slashed or not rest or _looks_like_words(rest)):
        return Said(word, rest.strip())
    if slashed:
        raise UsageError(f"there is no command {first[:40]!r}", where="session", hint=nearest(word, BY_NAME))
    if not rest and (near := _nearly(word)):
        raise UsageError(
            f"there is no command {first[:40]!r}",
            where="session",
            hint=f"`{near}`; to say it to the council: guide {word}",
        )
    return Said("guide", text)


def council_hint(hint: str, line: str) -> str:
    """The hint of an error, with how to say the line to the council where it reads like a sentence: `drop sgd`."""
    text = line.strip()
    first, *rest = text.split()
    sentence = len(rest) > 1 or (rest and rest[0].isalpha())
    if not sentence or "guide " in hint or first.lower() in ("guide", "steer", "r", "respond", "help"):
        return hint
    if first.startswith("/") or any(word.startswith(("-", "/", "~", '"')) or "=" in word for word in rest):
        return hint
    told = f"to say it to the council: guide {text[:60]}"
    return f"{hint}; {told}" if hint else told


def shortened(text: str) -> str:
    """A text that was typed, as it is told again."""
    return text if len(text) <= MOST_TOLD else f"{text[:MOST_TOLD]}… ({len(text)} characters)"


def split(rest: str) -> list[str]:
    """Words as a shell takes them.  Raises UsageError for a quotation that does not end."""
    try:
        return shlex.split(rest)
    except ValueError as error:
        raise UsageError(
            f"this cannot be read: {error}".lower(), where="session", hint="close the quotation"
        ) from error


def _looks_like_words(rest: str) -> bool:
    """Whether it could be the words of a command: one of them, or options."""
    return len(rest.split()) == 1 or rest.lstrip().startswith("-") or " --" in rest


def _nearly(word: str) -> str:
    import difflib

    return next(iter(difflib.get_close_matches(word[:40], [w for w in BY_NAME if len(w) > 2], 1, TYPING_ERROR)), "")
