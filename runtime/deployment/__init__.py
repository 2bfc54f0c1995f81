"""Changes put live in a running service: whole releases, one link, hot reload, health, watch, rollback."""

from __future__ import annotations

from runtime.deployment.health import check_health
from runtime.deployment.live_service import Alert, LiveService, Recorder
from runtime.deployment.releases import Changes, Releases
from runtime.deployment.reload import reload_service
from runtime.deployment.reloader import Reloader, ReloadError
from runtime.deployment.routes import Canary, Routes, read_routes
from runtime.deployment.watch import Judge, Read, watch

__all__ = [
    "Alert",
    "Canary",
    "Changes",
    "Judge",
    "LiveService",
    "Read",
    "Recorder",
    "Releases",
    "ReloadError",
    "Reloader",
    "Routes",
    "check_health",
    "read_routes",
    "reload_service",
    "watch",
]
