"""The ids and counts that operations take.  An id is never a path: no slash, and a letter or digit at its head."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from service.operations.operation import Taken

__all__ = [
    "CampaignId",
    "Cursor",
    "JobId",
    "Limit",
    "Number",
    "OfCampaign",
    "Paged",
    "PagedByNumber",
    "Place",
    "ProposalId",
    "RunId",
    "Text",
]

CampaignId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,119}$", description="such as breast-cancer-2")]
RunId = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,119}$", description="a campaign, or another training run")
]
ProposalId = Annotated[str, Field(pattern=r"^p-[0-9a-f]{1,64}$", description="such as p-3f9a12bc04")]
JobId = Annotated[str, Field(pattern=r"^j-[0-9a-f]{1,64}$", description="such as j-3f9a12bc04")]
Number = Annotated[int, Field(ge=0, le=999_999_999)]
Limit = Annotated[int, Field(ge=1, le=500, description="at most so many")]
Cursor = Annotated[str, Field(max_length=200, description="`next` of the page before; left out: the first page")]
Place = Annotated[
    str, Field(pattern=r"^[0-9]{1,18}$", description="`next` of the page before; left out: the first page")
]
Text = Annotated[str, Field(min_length=1, max_length=4000)]


class Paged(Taken):
    """A page: at most `limit` things after the one that `after` names."""

    limit: Limit = 50
    after: Cursor | None = None


class PagedByNumber(Taken):
    """A page: at most `limit` things after the one whose number is `after`."""

    limit: Limit = 50
    after: Place | None = None


class OfCampaign(Taken):
    campaign: CampaignId
