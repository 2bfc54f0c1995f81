"""What a campaign reaches that is not this machine: its control plane, and its language model's server."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from core.campaign import Campaign
from core.settings import Settings

__all__ = ["elsewhere", "is_loopback"]

OPENAI = "https://api.openai.com"


def elsewhere(campaign: Campaign, settings: Settings, environment: Mapping[str, str] = os.environ) -> list[str]:
    """The servers on other machines, as URLs; of a model that a program of one's own makes nothing is known."""
    from agents.model_seats import asked_models

    places = [settings.control_plane_url]
    kinds = {spec.partition(":")[0] for spec in asked_models(campaign)}
    if "openai" in kinds:
        places.append(environment.get("OPENAI_BASE_URL") or environment.get("OPENAI_API_BASE") or OPENAI)
    if kinds & {"ollama", "auto"}:
        host = environment.get("OLLAMA_HOST", "")
        places.append(host if "://" in host or not host else f"http://{host}")
    return [place for place in places if place and not _here(place)]


def _here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host == "0.0.0.0" or is_loopback(host)  # noqa: S104  # how an Ollama here is told to listen


def is_loopback(host: str) -> bool:
    """Whether the name or address is this machine, for itself alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
