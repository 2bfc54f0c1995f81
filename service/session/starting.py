"""Beginning a campaign in the background of the session."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import BusyError
from service.session.questions import Questions
from service.state import open_folder

if TYPE_CHECKING:
    from service.session.session import Session

__all__ = ["start"]


def start(session: Session, words: list[str], more: int | None) -> int:
    """`words` as the command line takes them: `run FILE …` or `resume ID …`; `more` cycles than are done."""
    from graph.budgets import with_budgets
    from memory.history import History
    from service.commands.run import begin, definition_of, go_on
    from service.session.ongoing import Ongoing
    from service.session.watch import Watch

    if session.ongoing is not None and session.ongoing.concluding:
        session.ongoing.wait()
    if session.is_running:
        raise BusyError(f"{session.campaign} is running", where=words[0], hint="`stop` it first, or `wait`")
    args = session.parse(words)
    if args.detach or (args.command == "run" and args.dry_run):
        return session.call(words)
    definition = definition_of(args) if args.command == "run" else None
    folder = open_folder(args, must_exist=definition is None)
    ledger = folder.open_ledger(check=True)
    try:
        stored = go_on(args, ledger) if definition is None else begin(args, session.output, ledger, definition)
        if more is not None:
            cycles = History.load(ledger, stored.id).last_finished_cycle + more
            stored = replace(stored, definition=with_budgets(stored.definition, {"budget.cycles": cycles}))
        watch = Watch(session.output, ledger, stored, session.names)
    except BaseException:
        ledger.close()
        raise
    if session.ongoing is not None:
        session.ongoing.close()
    session.choose(stored.id)
    session.output.start(campaign=stored.id, home=str(folder.home))
    person = session.questions = Questions(session.output, watch.notice) if session.asks else None
    session.ongoing = Ongoing(
        args, session.output, folder, ledger, stored, watch=watch, person=person, ended=session.note
    )
    unsaid, session.unsaid = session.unsaid, []
    for command, text in unsaid:
        session.call([command, "--", stored.id, text])
    return 0
