"""Signatures of webhooks by the Standard Webhooks convention: HMAC-SHA256 over id, time and body.

    signature = "v1," + base64(HMAC-SHA256(secret, id "." timestamp "." body))

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

from core.errors import ConfigError

__all__ = ["VARIABLE", "read_secret", "signed_headers", "verify"]

VARIABLE = "RATCHET_WEBHOOK_SECRET"
PREFIX = "whsec_"
MIN_BYTES = 24
TOLERANCE_S = 300.0


def read_secret(text: str) -> bytes:
    """The key from `whsec_` and base64, or from any text of 24 bytes or more.  Raises ConfigError."""
    hint = f'export {VARIABLE}="whsec_$(head -c 32 /dev/urandom | base64)", and give the receiver the same'
    if not text:
        raise ConfigError("webhooks are signed, and there is no secret for it", where=VARIABLE, hint=hint)
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True) if text.startswith(PREFIX) else text.encode()
    except binascii.Error as error:
        raise ConfigError("what follows whsec_ is not base64", where=VARIABLE, hint=hint) from error
    if len(key) < MIN_BYTES:
        raise ConfigError(f"the secret has {len(key)} bytes, {MIN_BYTES} are needed", where=VARIABLE, hint=hint)
    return key


def signed_headers(key: bytes, message_id: str, at: float, body: bytes) -> dict[str, str]:
    """The three headers that go with the body; `at` in UTC seconds is when it is sent."""
    timestamp = str(int(at))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{_signature(key, message_id, timestamp, body)}",
    }


def verify(
    key: bytes, headers: Mapping[str, str], body: bytes, *, now: float, tolerance_s: float = TOLERANCE_S
) -> bool:
    """Whether the body was signed with the key, within `tolerance_s` of `now`; for receivers in Python.

    `headers` by their names in small letters.  A receiver still has to look whether it knows the id already.
    """
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    try:
        fresh = abs(int(timestamp) - now) <= tolerance_s
    except ValueError:
        return False
    wanted = _signature(key, message_id, timestamp, body).encode()
    given = [one.removeprefix("v1,").encode() for one in headers.get("webhook-signature", "").split(" ")]
    return fresh and any([hmac.compare_digest(wanted, one) for one in given])  # noqa: C419  # all are compared


def _signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    said = f"{message_id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()
