"""What the session's words do.  Where the command line has the command, it is called; here are only the ways to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from core.campaign import Campaign
from core.errors import ConfigError, NotFoundError, RatchetError, UsageError, nearest
from core.settings import Settings
from service.escape import escaped
from service.session import looking, starting
from service.session.answering import answer
from service.session.words import WORDS, Word, shortened, split
from service.tables import columns, fields, line_width

if TYPE_CHECKING:
    from service.session.session import Session

__all__ = ["Doing", "doing"]

Doing = Callable[["Session", str], int]
MODES = ("human", "confirm", "auto", "all", "never", "ask", "low")
COUNTED = 10_000
"""The largest number that may be asked for."""
WIDE = 120
"""Columns from which on the commands fit a table."""


def doing(command: str) -> Doing:
    """What a command does."""
    return OWN.get(command) or (lambda session, rest: session.call([command, *session.words(rest)]))


def nothing_else(command: str, rest: str) -> None:
    """Raises UsageError when words follow a command that takes none: they may have been meant for the council."""
    if rest:
        raise UsageError(
            f"{command} takes nothing",
            where="session",
            hint=f"`{command}` alone; to say it to the council: guide {command} {rest[:60]}",
        )


# --------------------------------------------------------------------- running


def run(session: Session, rest: str) -> int:
    words, more = counted(session.words(rest))
    if words and not words[0].startswith("-"):
        if not Path(words[0]).exists():
            raise UsageError(
                f"there is no campaign file {words[0]!r}",
                where="run",
                hint=f"run [FILE] [n]; to say it to the council: guide run {rest[:60]}",
            )
        return starting.start(session, ["run", *words], more)
    if session.file is not None:
        return starting.start(session, ["run", str(session.file), *words], more)
    if session.campaign is None:
        raise UsageError(
            "there is no campaign yet", where="run", hint="run CAMPAIGN.yaml; `init` writes one to begin with"
        )
    return starting.start(session, ["resume", session.campaign, *words], more)


def resume(session: Session, rest: str) -> int:
    words, more = counted(session.words(rest))
    if not words or words[0].startswith("-"):
        words = [*([session.campaign] if session.campaign else []), *words]
    return starting.start(session, ["resume", *words], more)


def counted(words: list[str]) -> tuple[list[str], int | None]:
    """The words, and the number that is the last of them."""
    if words and words[-1].isascii() and words[-1].isdigit():
        if not 1 <= int(words[-1][:9]) <= COUNTED:
            raise UsageError(f"from 1 to {COUNTED}", where=words[-1][:20], hint="such as `run 3`")
        return words[:-1], int(words[-1])
    return words, None


def stop(session: Session, rest: str) -> int:
    if rest not in ("", "now"):
        nothing_else("stop", rest)
    ongoing = session.running("stop")
    if rest == "now":
        session.output.say("stopping now: the running jobs are ended")
        ongoing.now()
    else:
        session.output.say("stopping after this stage; `stop now` ends the running jobs")
        ongoing.stop("stopped in the session")
    return 0


def pause(session: Session, rest: str) -> int:
    nothing_else("pause", rest)
    session.running("pause").stop("paused in the session")
    session.output.say("pausing after this stage; `resume` goes on")
    return 0


def wait(session: Session, rest: str) -> int:
    nothing_else("wait", rest)
    ongoing = session.running("wait")
    while True:
        try:
            if ongoing.wait(0.1):
                return 0  # its own code was noted when it ended
        except KeyboardInterrupt:
            session.interrupted()


def opened(session: Session, rest: str) -> int:
    words = session.words(rest)
    if len(words) != 1:
        raise UsageError("open one thing", where="open", hint="open CAMPAIGN.yaml, or open ID")
    if Path(words[0]).exists():
        from service.commands.run import definition_of

        definition = definition_of(session.parse(["run", words[0]]))
        session.file = Path(words[0])
        session.output.say(escaped(f"{definition.name}: a campaign of kind {definition.kind}; `run` runs it"))
    else:
        session.choose(looking.campaign_of(session, words[0]))
        session.call(["status", str(session.campaign)])
    return 0


def rewind(session: Session, rest: str) -> int:
    """A fork that was made is open from then on, unless a campaign runs."""
    before = looking.campaign_of(session, None)
    code = session.call(["rewind", *session.words(rest)])
    if (made := looking.campaign_of(session, None)) == before:
        return code
    if session.is_running:
        session.output.say(escaped(f"{session.campaign} runs, so the session is still about it: `open {made}` later"))
    else:
        session.choose(made)
    return code


# -------------------------------------------------------------------- guidance


def guide(session: Session, rest: str) -> int:
    return _say(session, "guide", rest)


def steer(session: Session, rest: str) -> int:
    return _say(session, "steer", rest)


def _say(session: Session, command: str, text: str) -> int:
    if not text:
        raise UsageError(
            "say what the council should hear", where=command, hint=f"{command} keep learning_rate below 0.01"
        )
    if session.campaign is None:
        session.unsaid.append((command, text))
        session.output.say(escaped(f"kept for the campaign that is run next: {shortened(text)}"))
        return 0
    return session.call([command, "--", session.campaign, text])


def drop(session: Session, rest: str) -> int:
    words = split(rest)
    if len(words) != 1:
        raise UsageError("which guidance is to be dropped?", where="drop", hint="drop g1; `guidance` lists them")
    return session.call(["guidance", "drop", words[0], *session.chosen()])


def mode(session: Session, rest: str) -> int:
    if rest not in MODES:
        raise UsageError(
            f"{rest[:40]!r} is no mode" if rest else "which mode?", where="mode", hint=" | ".join(MODES[:5])
        )
    session.mode = rest
    from_when = "from the next run on: `stop`, then `run`" if session.is_running else "from the next run on"
    session.output.say(f"approvals: {rest}, {from_when}")
    return 0


# --------------------------------------------------------------------- looking


def of_campaign(command: str) -> Doing:
    """The command about the campaign that is open, unless another is named."""
    return lambda session, rest: session.call([command, *(session.words(rest) or session.chosen())])


def history(session: Session, rest: str) -> int:
    words = session.words(rest)
    return session.call(["history", *([] if words == ["all"] else words or session.chosen())])


def memory(session: Session, rest: str) -> int:
    if not rest:
        raise UsageError("what is looked for?", where="memory", hint="memory small learning rates")
    return session.call(["memory", "search", "--", rest])


def approvals(session: Session, rest: str) -> int:
    words = split(rest)
    if words[:1] == ["forget"] and len(words) == 2:
        return session.call(["inbox", "--forget", words[1]])
    nothing_else("approvals", rest)
    return session.call(["inbox", "--rules"])


def feedback(session: Session, rest: str) -> int:
    words, rounds = counted(session.words(rest))
    return session.call(["feedback", *words, *(["--iterations", str(rounds)] if rounds else [])])


def save(session: Session, rest: str) -> int:
    words = session.words(rest)
    if len(words) > 1 or not all(word.endswith((".html", ".htm")) for word in words):
        raise UsageError("the report is one file of HTML", where="save", hint="save report.html")
    return session.call(["report", *session.chosen(), *(["--out", words[0]] if words else [])])


# -------------------------------------------------------------------- settings


def set_(session: Session, rest: str) -> int:
    words = split(rest)
    key, equals, value = words[0].partition("=") if len(words) == 1 else ("", "", "")
    if len(words) == 2:
        key, value = words
    elif not (equals and key):
        hint = "set limits.time_s 60" if not rest else f"set KEY VALUE; to say it to the council: guide set {rest[:60]}"
        raise UsageError("a setting is a key and a value", where="set", hint=hint)
    _kept(session, key, value)
    return 0


def _kept(session: Session, key: str, value: str) -> None:
    try:
        yaml.safe_load(value)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"the value {value[:40]!r} cannot be read", where="set", hint="as in YAML") from error
    if key in Settings.model_fields:
        before = list(session.settings)
        session.settings.append(f"{key}={value}")
        try:
            session.check_settings()
        except RatchetError:
            session.settings[:] = before
            raise
        session.output.say(escaped(f"{key} is {value}, from now on"))
    else:
        root = key.partition(".")[0]
        if root not in Campaign.model_fields:
            near = nearest(root[:40], {*Campaign.model_fields, *Settings.model_fields})
            hint = near if near.startswith("did") else "set KEY VALUE, a key as in the campaign's file"
            raise ConfigError(f"there is no setting {root[:40]!r}", where="set", hint=hint)
        session.overrides.append(f"{key}={value}")
        session.output.say(escaped(f"{key} is {value}, in the next campaign that is run"))


def model(session: Session, rest: str) -> int:
    from runtime.models.choice import parse_spec

    words = split(rest)
    if len(words) != 1:
        raise UsageError("which model?", where="model", hint="model none, auto, ollama:NAME, openai:NAME, replay:FILE")
    parse_spec(words[0], "model")
    session.model = words[0]
    session.output.say(escaped(f"model {words[0]}, in the next campaign that is run; one that was begun keeps its own"))
    return 0


# ------------------------------------------------------------------------ else


def help_(session: Session, rest: str) -> int:
    words = split(rest)
    if words:
        from service.words.commands import COMMANDS

        known = next((w for w in WORDS if words[0].removeprefix("/") in (w.name, *w.also)), None)
        if known is None and words[0] not in COMMANDS:
            raise NotFoundError(f"there is no command {words[0][:40]!r}", where="help", hint="`help` lists them")
        if known is not None:
            session.output.data(f"{known.name} {known.takes}\n  {known.does}".rstrip())
        if (name := known.name if known else words[0]) in COMMANDS:
            return session.call([name, "--help"])
        return 0
    rows = [(word.name, ", ".join(word.also), word.takes, word.does) for word in WORDS]
    told: list[dict[str, Any]] = [{"name": w.name, "also": w.also, "takes": w.takes, "does": w.does} for w in WORDS]
    room = line_width()
    if room is None or room >= WIDE:
        text = columns(rows, ("command", "or", "takes", "what it does"))
    else:
        text = fields([(f"{w.name} {w.takes}", f"{w.does}{_also(w)}") for w in WORDS])
    session.output.result({"commands": told}, f"{text}\n\nWords and /words are the same. Any other text is guidance.")
    return 0


def _also(word: Word) -> str:
    return f" (or {', '.join(word.also)})" if word.also else ""


def quit_(session: Session, rest: str) -> int:
    nothing_else("quit", rest)
    session.leaving = True
    return 0


OWN: dict[str, Doing] = {
    "run": run,
    "resume": resume,
    "stop": stop,
    "pause": pause,
    "wait": wait,
    "open": opened,
    "guide": guide,
    "steer": steer,
    "drop": drop,
    "guidance": of_campaign("guidance"),
    "accept": answer("accept"),
    "edit": answer("edit"),
    "respond": answer("respond"),
    "ignore": answer("ignore"),
    "approvals": approvals,
    "mode": mode,
    "status": of_campaign("status"),
    "agents": of_campaign("agents"),
    "jobs": of_campaign("jobs"),
    "history": history,
    "rewind": rewind,
    "best": looking.best,
    "trend": looking.trend,
    "compare": looking.compare,
    "memory": memory,
    "feedback": feedback,
    "set": set_,
    "model": model,
    "save": save,
    "help": help_,
    "quit": quit_,
}
