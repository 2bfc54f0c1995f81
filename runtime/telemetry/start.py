"""Setting telemetry up for a program, and ending it within a bound.

The SDK is imported only when a variable asks for telemetry.  Providers, samplers, batches, headers, time-outs and the
resource are configured by the SDK from its own variables of the process.  Sending happens in threads of the SDK.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from runtime.telemetry.trouble import Trouble
from runtime.telemetry.wanted import Wanted, wanted

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource

__all__ = ["Stop", "start_telemetry"]

FLUSH_S = 5.0
"""What is left at the end has this long to leave."""
TROUBLED_FLUSH_S = 0.5
"""The same, once something did not arrive."""
SERVICE = "ratchet"

Stop = Callable[[], None]
"""Sends what is left, for a bounded time, and ends telemetry.  It raises nothing, and may be called twice."""


def start_telemetry(environment: Mapping[str, str], *, tell: Callable[[str], None] = lambda _: None) -> Stop:
    """Set up what the standard variables in `environment` ask for; nothing is imported where they ask for nothing.

    `environment` decides what is sent and by which exporter; the rest the SDK reads from the variables of the process.
    `tell` gets one line, once, when a variable is not understood or something does not arrive; it may be called from
    another thread.  Nothing here raises: a run is never lost for its telemetry.  Providers that are there already stay.
    Once a process: OpenTelemetry takes a provider only once.
    """
    asked = wanted(environment)
    trouble = Trouble(lambda line: tell(f"telemetry: {line}"))
    for odd in asked.odd:
        trouble.say(odd)
    if not asked or _has_providers():
        return _nothing_to_stop
    trouble.listen()
    try:
        return _stopping(_providers(asked, trouble), trouble)
    except Exception as error:  # noqa: BLE001  # the SDK raises what it likes for a wrong variable
        trouble.say(f"it could not be set up: {type(error).__name__}: {error}")
        return _nothing_to_stop


def _nothing_to_stop() -> None:
    """Nothing was started."""


def _has_providers() -> bool:
    from opentelemetry import trace

    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def _providers(asked: Wanted, trouble: Trouble) -> list[Any]:
    """The providers of the signals that have an exporter, made the process's own."""
    resource = _resource()
    started: list[Any] = []
    if exporters := _loaded("opentelemetry_traces_exporter", asked.traces, trouble):
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        tracing = TracerProvider(resource=resource, shutdown_on_exit=False)
        for exporter in exporters:
            tracing.add_span_processor(BatchSpanProcessor(exporter))
        trace.set_tracer_provider(tracing)
        started.append(tracing)
    if exporters := _loaded("opentelemetry_metrics_exporter", asked.metrics, trouble):
        from opentelemetry import metrics
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

        readers = [PeriodicExportingMetricReader(exporter) for exporter in exporters]
        metering = MeterProvider(metric_readers=readers, resource=resource, shutdown_on_exit=False)
        metrics.set_meter_provider(metering)
        started.append(metering)
    return started


def _resource() -> Resource:
    """Who is speaking: the resource of the variables, named `ratchet` where they give no name."""
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource

    resource = Resource.create()
    if str(resource.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: SERVICE}))
    return resource


def _loaded(group: str, names: tuple[str, ...], trouble: Trouble) -> list[Any]:
    """The exporters of those names.  One that cannot be made is told of, and the others are used."""
    from importlib.metadata import entry_points

    made: list[Any] = []
    for name in names:
        try:
            found = next(iter(entry_points(group=group, name=name)), None)
            if found is None:
                trouble.say(f"the exporter {name} is not installed (pip install opentelemetry-exporter-otlp)")
                continue
            # stdout is data
            made.append(found.load()(**({"out": sys.stderr} if name == "console" else {})))
        except Exception as error:  # noqa: BLE001
            trouble.say(f"the exporter {name} cannot be used: {type(error).__name__}: {error}")
    return made


def _stopping(providers: list[Any], trouble: Trouble) -> Stop:
    """A `Stop` for these.  The SDK's own bounds are half a minute and more, so its shut-downs wait in threads."""
    stopped = threading.Event()

    def shut_down(provider: Any) -> None:
        # what it tells of itself, of two shut-downs or a deadline that has passed, helps nobody at the end
        with contextlib.suppress(Exception):
            provider.shutdown()

    def stop() -> None:
        if stopped.is_set():
            return
        stopped.set()
        waiting = time.monotonic() + (TROUBLED_FLUSH_S if trouble.seen.is_set() else FLUSH_S)
        trouble.seen.clear()
        threads = [threading.Thread(target=shut_down, args=(p,), daemon=True, name="stop-telemetry") for p in providers]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads) and time.monotonic() < waiting:
            if trouble.seen.is_set():
                waiting = min(waiting, time.monotonic() + TROUBLED_FLUSH_S)
                trouble.seen.clear()
            time.sleep(0.01)
        if any(thread.is_alive() for thread in threads):
            trouble.say("what was left at the end did not leave in time")

    return stop
