"""Big things by the hash of their content: written once, checked at every reading, shared by whoever names them.

Below the folder, `ab/cdef…` (the hash in hexadecimal, cut after two) holds the bytes, compressed with zlib.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from pathlib import Path

from core.errors import NotFoundError, StorageError
from core.files import write_atomically
from memory.sqlite_file import set_aside

__all__ = ["Artifacts"]

PREFIX = "sha256:"
REFERENCE = re.compile(r"sha256:[0-9a-f]{64}")


class Artifacts:
    """The artifacts below one folder, for any number of processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    def put(self, content: str | bytes) -> str:
        """Keep the content (text as UTF-8); answers its reference, `sha256:` and 64 hexadecimal characters.

        What is there already is not written again; where the file is damaged, it is set aside and written anew.
        Raises StorageError.
        """
        data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
        reference = PREFIX + hashlib.sha256(data).hexdigest()
        path = self._path(reference)
        if path.exists():
            if self._read(path, reference) is not None:
                return reference
            set_aside(path)
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StorageError(
                f"cannot make the folder of artifacts: {error.strerror}",
                where=str(self.folder),
                hint="check its rights",
            ) from error
        write_atomically(path, zlib.compress(data))
        return reference

    def get(self, reference: str) -> bytes:
        """The content.  Raises NotFoundError; StorageError for a file that is damaged, which is set aside."""
        path = self._path(reference)
        if not path.exists():
            raise NotFoundError(f"there is no artifact {reference}", where=str(path), hint="was its folder moved?")
        data = self._read(path, reference)
        if data is None:
            aside = set_aside(path)
            raise StorageError(
                f"artifact {reference} is damaged; it was set aside, nothing was overwritten",
                where=str(aside),
                hint=f"restore a copy to {path}, or put the same content again",
            )
        return data

    def text(self, reference: str) -> str:
        """The content of an artifact that was put as text.  Raises as `get`."""
        return self.get(reference).decode()

    def __contains__(self, reference: str) -> bool:
        """Whether a file of this reference is there, whole or not."""
        return self._path(reference).exists()

    def _path(self, reference: str) -> Path:
        if not REFERENCE.fullmatch(reference):
            raise NotFoundError(f"{reference!r} is no artifact", hint=f"a reference is `{PREFIX}` and 64 of 0-9a-f")
        name = reference.removeprefix(PREFIX)
        return self.folder / name[:2] / name[2:]

    def _read(self, path: Path, reference: str) -> bytes | None:
        """None when the file does not hold what its name says."""
        try:
            data = zlib.decompress(path.read_bytes())
        except zlib.error:
            return None
        except OSError as error:
            raise StorageError(
                f"cannot read artifact {reference}: {error.strerror}", where=str(path), hint="check its rights"
            ) from error
        return data if PREFIX + hashlib.sha256(data).hexdigest() == reference else None
