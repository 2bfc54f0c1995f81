"""Which release is whose: put there for a tenant, for everybody, or for a share of their requests."""

from __future__ import annotations

from typing import Literal

from core.deployment import Deployment, LiveTarget
from core.errors import DeniedError
from runtime.deployment.releases import Releases
from runtime.deployment.routes import Canary, Routes, read_routes, write_routes

__all__ = ["Placing"]

Scope = Literal["tenant", "system"]


class Placing:
    """Of a service that routes by tenant, a tenant's release stands in the routes; of any other it is `current`.

    Everything here can be done again: what stands there already is left as it is.
    """

    def __init__(self, target: LiveTarget, releases: Releases) -> None:
        self._target = target
        self._releases = releases

    def check_scope(self, tenant: str, scope: Scope) -> None:
        """Raises DeniedError for a tenant whose requests the service cannot tell from others'."""
        if scope == "tenant" and not self._target.routes_tenants and tenant != self._target.tenant:
            raise DeniedError(
                f"{self._target.service} does not route by tenant, and belongs to {self._target.tenant}",
                where=tenant,
                hint="only its owner may deploy to it",
            )

    def serving(self, tenant: str, scope: Scope) -> str:
        """The digest that the tenant, or everybody without a release of their own, is served."""
        current = self._releases.current()
        return self._routes().tenants.get(tenant, current) if self._by_routes(scope) else current

    def serves(self, deployment: Deployment) -> bool:
        """Whether its new release is live, as a canary too."""
        canary = self._routes().canary
        if canary is not None and canary.digest == deployment.digest:
            return True
        return self.serving(deployment.tenant, deployment.scope) == deployment.digest

    def put(self, deployment: Deployment, share: float) -> None:
        """The new release gets `share` of the requests that it is for.  Raises StorageError."""
        self._releases.check(deployment.digest)
        if share < 1.0:
            tenants = (deployment.tenant,) if self._by_routes(deployment.scope) else None
            canary = Canary(digest=deployment.digest, share=share, tenants=tenants)
            write_routes(self._target.folder, self._routes().model_copy(update={"canary": canary}))
        else:
            self._serve(deployment, deployment.digest)

    def put_back(self, deployment: Deployment) -> None:
        """The release before gets them all.  Raises StorageError when it is not what it was."""
        self._releases.check(deployment.previous)
        self._serve(deployment, deployment.previous)

    def tidy(self) -> None:
        """Who has the live release as one of their own has none of their own any more."""
        routes, current = self._routes(), self._releases.current()
        tenants = {tenant: digest for tenant, digest in routes.tenants.items() if digest != current}
        write_routes(self._target.folder, routes.model_copy(update={"tenants": tenants}))

    def needed(self) -> set[str]:
        return self._routes().needed

    def _serve(self, deployment: Deployment, digest: str) -> None:
        """The live release comes before the end of the canary: no request gets an older one in between."""
        tenants = dict(self._routes().tenants)
        if self._by_routes(deployment.scope):
            tenants[deployment.tenant] = digest
            if digest == self._releases.current():
                del tenants[deployment.tenant]
        elif self._releases.current() != digest:
            self._releases.switch(digest)
        write_routes(self._target.folder, Routes(tenants=tenants))

    def _by_routes(self, scope: Scope) -> bool:
        return self._target.routes_tenants and scope == "tenant"

    def _routes(self) -> Routes:
        return read_routes(self._target.folder)
