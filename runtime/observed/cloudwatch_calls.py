"""Calls of AWS, page by page, with patience for throttling: back-off that doubles, with jitter, and an end.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html (the errors that are throttling)
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["Calls", "Refused"]

THROTTLED = frozenset(
    {
        "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException",
        "RequestLimitExceeded", "TooManyRequestsException", "LimitExceededException", "SlowDown",
        "BandwidthLimitExceeded", "ProvisionedThroughputExceededException", "PriorRequestNotComplete",
        "TransactionInProgressException",
    }
)  # fmt: skip
FIRST_S = 1.0
MOST_S = 20.0
MAX_PAGES = 200


class Refused(Exception):  # noqa: N818  # it is an answer, told on as a gap
    """AWS did not answer: `reason` is throttled, unreachable, refused or too much."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Calls:
    """`client` is one of boto3's; `count` the requests made."""

    def __init__(self, client: Any, sleep: Callable[[float], None], tries: int) -> None:
        self.count = 0
        self._client = client
        self._sleep = sleep
        self._tries = tries
        self._rng = random.Random()  # noqa: S311  # jitter

    def pages(self, operation: str, page_key: str = "NextToken", **asked: Any) -> Iterator[dict[str, Any]]:
        """Every page of an answer.  Raises Refused, also when there is no end of pages."""
        seen: set[str] = set()
        for _ in range(MAX_PAGES):
            page = self._call(operation, asked)
            yield page
            following = page.get(page_key)
            if not following or following in seen:  # the same page again would go on for ever
                return
            seen.add(following)
            asked[page_key] = following
        raise Refused("too much")

    def _call(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError

        for attempt in range(1, self._tries + 1):
            self.count += 1
            try:
                answer: dict[str, Any] = getattr(self._client, operation)(**asked)
            except ClientError as error:
                status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
                reason = "throttled" if error.response["Error"]["Code"] in THROTTLED or status == 429 else "refused"
                again = reason == "throttled" or status >= 500
                if not again or attempt == self._tries:
                    raise Refused(reason) from error
            except BotoCoreError as error:
                if attempt == self._tries:
                    raise Refused("unreachable") from error
            else:
                return answer
            self._sleep(self._rng.uniform(0.5, 1.0) * min(MOST_S, FIRST_S * 2.0 ** (attempt - 1)))
        raise AssertionError("the last try returns or raises")
