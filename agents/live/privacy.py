"""What is kept of texts that a service says: no secrets, and of values only whether they are equal."""

from __future__ import annotations

import hashlib

from core.scrub import scrubbed
from core.telemetry import AlarmTransition, Completion, LogLine, Telemetry
from search.templates import statement_template

__all__ = ["private"]

MAX_CHARS = 8_000
"""Of a message, and of a stack."""


def private(one: Telemetry) -> Telemetry:
    """The same record, its messages scrubbed and cut; a query without its values, which join the arguments as a hash.

    Of a line that is no error only is kept that it was said.  What went through is not changed again.
    """
    if isinstance(one, LogLine):
        if not one.is_error:
            return one.model_copy(update={"message": "", "stack": ""})
        message, stack = scrubbed(one.message[:MAX_CHARS]), scrubbed(one.stack[-MAX_CHARS:])
        if (message, stack) == (one.message, one.stack):
            return one
        return one.model_copy(update={"message": message, "stack": stack})
    if isinstance(one, AlarmTransition) and one.reason:
        return one.model_copy(update={"reason": scrubbed(one.reason[:MAX_CHARS])})
    if isinstance(one, Completion) and (one.statement or one.arguments):
        template = statement_template(one.statement)
        values = "" if template == one.statement else one.statement
        arguments = one.arguments
        if values or (arguments and not arguments.startswith("#")):
            arguments = "#" + hashlib.blake2b(f"{values}\0{arguments}".encode(), digest_size=9).hexdigest()
        return one.model_copy(update={"statement": template, "arguments": arguments})
    return one
