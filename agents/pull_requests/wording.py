"""Text of others in a pull request: shown as it is, and never obeyed.

In Markdown nothing of it is markup, mentions somebody, refers to or closes an issue, or becomes a link.  In a title or
commit message, which are plain text, a space does the same.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["cut", "in_markdown", "on_one_line", "paragraphs", "plain"]

_SPECIAL = re.compile(r"[\\`*_{}\[\]|~$^=]")
_LIST = re.compile(r"^(\d{1,9})([.)])|^([-+])")
_LINK = re.compile(r"(?i)(mailto:|xmpp:|www(?=\.)|:(?=//))")
_GH = re.compile(r"(?i)\b(gh)-(?=\d)")
_NOTHING = "&#8203;"
"""A space of no width: GitHub looks for mentions and references in what it shows, where an escape is gone already."""


def in_markdown(text: str) -> str:
    """One line of Markdown that shows `text`."""
    line = " ".join(_visible(text).split())
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    line = _SPECIAL.sub(lambda found: f"\\{found[0]}", line)
    line = _LIST.sub(lambda found: f"{found[1] or ''}\\{found[2] or found[3]}", line)
    line = line.replace("#", f"&#35;{_NOTHING}").replace("@", f"@{_NOTHING}")
    line = _LINK.sub(lambda found: f"{found[0]}{_NOTHING}", line)
    return _GH.sub(lambda found: f"{found[1]}-{_NOTHING}", line)


def paragraphs(text: str) -> str:
    """`text` in Markdown, with its lines and paragraphs."""
    blocks = re.split(r"\n\s*\n", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "\n\n".join(
        "  \n".join(line for raw in block.split("\n") if (line := in_markdown(raw)))
        for block in blocks
        if block.strip()
    )


def plain(text: str) -> str:
    """One line of plain text that mentions, refers to and closes nothing: `fixes # 1`, `@ name`."""
    line = " ".join(_visible(text).split())
    line = re.sub(r"#(?=\w)", "# ", line)
    line = re.sub(r"@(?=\w)", "@ ", line)
    line = _GH.sub(lambda found: f"{found[1]}- ", line)
    return re.sub(r"://(?=\S)", ":// ", line)


def on_one_line(text: str, most: int) -> str:
    """`text` on one line of at most `most` characters."""
    return cut(" ".join(_visible(text).split()), most)


def cut(text: str, most: int) -> str:
    """At most `most` characters, with a mark where some are missing."""
    return text if len(text) <= most else f"{text[: max(0, most - 1)]}…"[: max(0, most)]


def _visible(text: str) -> str:
    """Control characters, and what turns the direction of text or hides in it, are spelled out."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char
        if char in "\n\t\r" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
        else char.encode("unicode_escape", "backslashreplace").decode()
        for char in text
    )
