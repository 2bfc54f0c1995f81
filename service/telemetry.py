"""Telemetry around one command: set up before it, sent within a bound after it, and one span that holds its spans."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from service.escape import escaped
from service.output import Output

__all__ = ["TRACED", "telemetry"]

TRACED = ("run", "resume", "evolve", "demo", "feedback", "session")
"""Commands that ask models or run jobs."""


@contextmanager
def telemetry(command: str, output: Output) -> Iterator[None]:
    """What the standard variables ask for, while `command` runs; trouble is told once, on stderr.

    Where nothing is asked for, nothing is imported.  An error of the command passes through: the span tells its kind.
    """
    if command not in TRACED or not any(name.startswith("OTEL_") for name in os.environ):
        yield
        return
    from runtime.telemetry import start_telemetry

    stop = start_telemetry(os.environ, tell=lambda line: output.say(escaped(line)))
    try:
        from opentelemetry import trace

        with trace.get_tracer("ratchet").start_as_current_span(
            f"ratchet {command}", record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield
            except BaseException as error:
                # its text may hold a path or a prompt
                span.set_attribute("error.type", type(error).__name__)
                raise
    finally:
        stop()
