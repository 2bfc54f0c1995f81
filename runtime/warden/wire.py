"""What goes over the pipes between caller and warden: a length, a header in JSON, and raw bytes behind it.

Nothing of it is ever unpickled or evaluated: what a command wrote stays bytes.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence

TYPE_CHECKING = False  # importing typing costs a tenth of the start
if TYPE_CHECKING:
    from typing import Any, BinaryIO

__all__ = ["decode", "encode", "receive"]

_LENGTH = struct.Struct(">Q")


def encode(header: dict[str, Any], blobs: Sequence[bytes] = ()) -> bytes:
    """`header` must not use the key `blobs`."""
    text = json.dumps({**header, "blobs": [len(blob) for blob in blobs]}).encode()
    return b"".join([_LENGTH.pack(len(text)), text, *blobs])


def receive(source: BinaryIO) -> tuple[dict[str, Any], list[bytes]]:
    """The header and the blobs.  Raises EOFError when the other end stopped in the middle."""
    header = json.loads(_exactly(source, _LENGTH.unpack(_exactly(source, _LENGTH.size))[0]))
    return header, [_exactly(source, size) for size in header.pop("blobs")]


def decode(message: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """The same from bytes."""
    import io

    return receive(io.BytesIO(message))


def _exactly(source: BinaryIO, size: int) -> bytes:
    content = source.read(size)
    if len(content) != size:
        raise EOFError
    return content
