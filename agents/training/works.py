"""What a queue may run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.errors import ConfigError, UnavailableError, nearest
from runtime.control_plane.wire import TrainRequest, Work

__all__ = ["NotAllowedError", "TooManyJobsError", "Works"]


class NotAllowedError(ConfigError):
    """The command is none that this queue may run."""


class TooManyJobsError(UnavailableError):
    """More jobs are unfinished than the queue takes."""


@dataclass(frozen=True)
class Works:
    """The works that may run, by the name of their campaign; with `any_command` whatever a request brings."""

    by_name: Mapping[str, Work] = field(default_factory=dict)
    any_command: bool = False

    def of(self, request: TrainRequest) -> Work:
        """The work that the request is for.  Raises NotAllowedError.

        A registered campaign runs as it was registered: the request's own command is not used, only compared.
        """
        own = self.by_name.get(request.campaign)
        if own is None and not request.campaign and request.work is None:
            campaigns = [work for name, work in self.by_name.items() if "/" not in name]
            own = campaigns[0] if len(campaigns) == 1 else None
        wanted = request.fingerprint or (request.work.fingerprint() if request.work else "")
        if own is not None and wanted in ("", own.fingerprint()):
            return own
        if self.any_command and request.work is not None:
            return request.work
        if own is not None:
            raise NotAllowedError(
                f"campaign {request.campaign!r} is another one here: command, limits, metrics or environment differ",
                where="campaign",
                hint="start the control plane with the same campaign file",
            )
        what = f"campaign {request.campaign!r} is not registered here" if request.campaign else "no campaign is named"
        register = "start the control plane with --campaign FILE"
        hint = nearest(request.campaign, self.by_name) if self.by_name else register
        raise NotAllowedError(what, where="campaign", hint=hint)
