"""The watch: a reading and a health check every interval, until the judge decides; then kept, or rolled back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from core.deployment import DeploymentState, HealthReading
from core.errors import RatchetError
from core.ids import Clock, system_clock
from core.watch import ServiceReading, WatchRules, WatchVerdict
from runtime.deployment.live_service import LiveService

__all__ = ["Judge", "Read", "watch"]

Read = Callable[[float, float], ServiceReading | None]
"""What was seen of the service from … to … (seconds since the epoch); None, or a RatchetError: a gap."""
Judge = Callable[[Sequence[ServiceReading | None], Sequence[HealthReading], float], WatchVerdict]
"""All windows since the deployment, the health checks of this watch, and the time."""


async def watch(
    service: LiveService,
    deployment_id: str,
    *,
    read: Read,
    judge: Judge,
    rules: WatchRules,
    clock: Clock = system_clock,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    on_window: Callable[[WatchVerdict], None] = lambda _: None,
) -> DeploymentState:
    """Watch a deployment to its end, and act on it; answers its last state, with the verdict.

    `kept`, or `rolled_back` (`restored` when the service could not be told).  A canary that was not rolled back stays
    `watching`: `promote` it, and watch again.  A watch that is cancelled or killed goes on with the same call: windows
    that have passed are read at once.  Raises DeploymentError when the deployment is not watched.
    """
    state = service.state(deployment_id)
    since = state.watched_since if state.watched_since is not None else clock()
    readings: list[ServiceReading | None] = []
    health: list[HealthReading] = []
    while True:
        window = since + len(readings) * rules.interval_s
        late = clock() >= window + 2 * rules.interval_s
        if not late:
            await sleep(max(0.0, window + rules.interval_s - clock()))
        readings.append(await asyncio.to_thread(_read, read, window, window + rules.interval_s))
        if not late:
            health.append(await asyncio.to_thread(service.health))
        verdict = judge(readings, health, clock())
        on_window(verdict)
        if verdict.answer != "continue":
            return await asyncio.to_thread(_end, service, deployment_id, verdict, rules)
        await asyncio.to_thread(service.note, deployment_id, verdict)


def _read(read: Read, since: float, until: float) -> ServiceReading | None:
    try:
        reading = read(since, until)
    except RatchetError:
        return None
    return reading if reading is not None and reading.seen else None


def _end(service: LiveService, deployment_id: str, verdict: WatchVerdict, rules: WatchRules) -> DeploymentState:
    wanted = {
        "healthy": "keep",
        "degraded": "rollback",
        "cannot tell": rules.if_undecided,
        "unknown": rules.if_unknown,
    }[verdict.answer]
    reason = f"{verdict.answer}: {verdict.reason}"
    if wanted == "rollback":
        return service.roll_back(deployment_id, reason=reason, verdict=verdict)
    if service.state(deployment_id).share < 1.0:
        return service.note(deployment_id, verdict)
    return service.keep(deployment_id, verdict, reason=reason)
