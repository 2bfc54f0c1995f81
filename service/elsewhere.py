"""What a campaign reaches that is not this machine: its control plane, and its language model's server."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from core.campaign import Campaign
from core.settings import Settings

__all__ = ["elsewhere", "is_loopback", "model_servers"]

OLLAMA_CLOUD = "https://ollama.com"


def elsewhere(campaign: Campaign, settings: Settings, environment: Mapping[str, str] = os.environ) -> list[str]:
    """The servers on other machines, as URLs; of a model that a program of one's own makes nothing is known."""
    from agents.model_seats import asked_models

    plane = settings.control_plane_url
    return [*([plane] if plane and not _here(plane) else []), *model_servers(asked_models(campaign), environment)]


def model_servers(specs: Iterable[str], environment: Mapping[str, str] = os.environ) -> list[str]:
    """The servers on other machines that these models are asked at, as URLs without the account."""
    from runtime.models.ollama_api import ollama_url
    from runtime.models.openai_api import openai_url
    from runtime.models.prices import in_the_cloud

    specs = list(specs)
    kinds = {spec.partition(":")[0] for spec in specs}
    places: list[str] = []
    if "openai" in kinds:
        places.append(openai_url(environment))
    if kinds & {"ollama", "auto"}:
        places.append(ollama_url(environment))
    if any(in_the_cloud(spec) for spec in specs):  # the Ollama here passes on what it is asked
        places.append(OLLAMA_CLOUD)
    return [_without_account(place) for place in places if not _here(place)]


def _without_account(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host == "0.0.0.0" or is_loopback(host)  # noqa: S104  # how an Ollama here is told to listen


def is_loopback(host: str) -> bool:
    """Whether the name or address is this machine, for itself alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
