"""Comments into the user's own file: its encoding, newlines, mark and rights stay as they are, and so does its tree."""

from __future__ import annotations

import io
import stat
import tokenize
from dataclasses import dataclass
from pathlib import Path

from agents.feedback.records import CodeComments
from agents.feedback.writing import insert_comments, unified_diff
from core.errors import BusyError, ConfigError
from core.files import write_atomically

__all__ = ["Rewritten", "rewrite"]


@dataclass(frozen=True)
class Rewritten:
    """A file as it is and as it would be."""

    path: Path
    before: bytes
    after: bytes
    encoding: str

    @property
    def changed(self) -> bool:
        return self.before != self.after

    @property
    def diff(self) -> str:
        """Unified diff of the text, empty when nothing changes; a byte order mark and each `\\r` stay in it."""
        before, after = (data.decode(self.encoding.removesuffix("-sig")) for data in (self.before, self.after))
        return unified_diff(self.path.as_posix().lstrip("/"), before, after)

    def write(self) -> None:
        """Replace the file.  Raises BusyError when somebody else changed it meanwhile, StorageError."""
        if self.path.read_bytes() != self.before:
            raise BusyError(
                "the file was changed while it was analysed; it is left as it is",
                where=str(self.path),
                hint="run it again",
            )
        write_atomically(self.path, self.after, mode=stat.S_IMODE(self.path.stat().st_mode))


def rewrite(path: Path, comments: CodeComments) -> Rewritten:
    """The file with `comments` in it.  Raises ConfigError where the tree would change or a character has no code."""
    data = path.read_bytes()
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        raise ConfigError(f"the file cannot be decoded: {error}", where=str(path)) from error
    written = insert_comments(text, comments)
    try:
        after = written.encode(encoding)
    except UnicodeEncodeError as error:
        missing = ascii(error.object[error.start : error.end])
        raise ConfigError(
            f"the comments hold {missing}, which {encoding} cannot write; the file is left as it is",
            where=str(path),
            hint="save it as UTF-8, or use --diff",
        ) from error
    return Rewritten(path, data, after, encoding)
