"""Where the jobs of a campaign run: in this process, or at a control plane."""

from __future__ import annotations

from core.errors import ConfigError
from core.ids import content_hash
from memory.ledger import StoredCampaign
from runtime.control_plane.client import ControlPlaneClient
from runtime.control_plane.remote_queue import Patience, RemoteQueue
from runtime.control_plane.wire import Work
from runtime.jobs import JobQueue, Jobs

__all__ = ["job_back_end"]

SUBMIT_WAIT_S = 15.0


def job_back_end(stored: StoredCampaign, *, url: str = "", wait_s: float = 120.0) -> Jobs:
    """The control plane at `url`, asked again for up to `wait_s` when it falls silent; without a URL a queue of ours.

    The token is CONTROL_PLANE_TOKEN.  A campaign's jobs have names of their own there, the same after every restart.
    """
    campaign = stored.definition
    if url and campaign.kind == "code":
        raise ConfigError(
            "the candidates of a code campaign are judged on this machine",
            where="control_plane_url",
            hint="leave out --control-plane and CONTROL_PLANE_URL",
        )
    if not url:
        return JobQueue(campaign.limits.parallel)
    return RemoteQueue(
        ControlPlaneClient(url),
        works=Work.all_of(campaign),
        namespace=content_hash(stored.id, stored.fingerprint, stored.created_at)[:8],
        patience=Patience(submit_s=min(SUBMIT_WAIT_S, wait_s), reconnect_s=wait_s),
    )
