"""argparse with errors and help of ours."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

from core.errors import UsageError, nearest

__all__ = [
    "HelpAsked",
    "Parser",
]


class HelpAsked(Exception):  # noqa: N818  # a way out of the parser, not an error
    """Carries the text of the help that `-h` asks for."""


class Parser(argparse.ArgumentParser):
    """Errors as ours: one clear error, exit 2, and JSON where JSON was asked for; options are written whole."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        hint = f"`{self.prog} --help`"
        if "invalid choice: " in message and "argument COMMAND" in message:
            word = message.split("invalid choice: ")[1].split(" ")[0].strip("'\"")
            message, hint = f"there is no command {word!r}", nearest(word, self._commands())
        elif message.startswith("unrecognized arguments: "):
            word = message.removeprefix("unrecognized arguments: ").split(" ")[0]
            known = {option for action in self._all_actions() for option in action.option_strings}
            if word.startswith("--") and (name := word.partition("=")[0]) not in known:  # else another command has it
                hint = nearest(name, known)
            message = f"{word} is not understood here"
        raise UsageError(message, where="command line", hint=hint)

    def print_help(self, file: Any = None) -> NoReturn:  # noqa: ARG002  # argparse's signature
        raise HelpAsked(self.format_help().rstrip())

    def _all_actions(self) -> list[argparse.Action]:
        """The options of this parser and of its commands."""
        own = list(self._actions)
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                own += [option for command in action.choices.values() for option in command._actions]
        return own

    def _commands(self) -> list[str]:
        return [
            name
            for action in self._actions
            if isinstance(action, argparse._SubParsersAction)
            for name in action.choices
        ]
