"""`init [DIR]`: a commented campaign and a small training script that runs as it stands."""

from __future__ import annotations

import argparse
import re
import shlex
from importlib import resources
from pathlib import Path

from core.errors import ConfigError, StorageError
from service.output import Output

__all__ = ["init"]

FILES = ("campaign.yaml", "train.py")


def init(args: argparse.Namespace, output: Output) -> int:
    """`init [DIR]`; nothing is ever overwritten."""
    folder = Path(args.folder)
    if folder.exists() and not folder.is_dir():
        raise ConfigError("this is a file, not a folder", where=str(folder), hint="name a folder that is new or empty")
    present = [name for name in FILES if (folder / name).exists()]
    if present:
        raise ConfigError(
            f"{' and '.join(present)} {'is' if len(present) == 1 else 'are'} there already; nothing was written",
            where=str(folder),
            hint="name another folder: `python run_graph.py init DIR`",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            with (folder / name).open("x", encoding="utf-8") as file:
                file.write(_filled(name, folder))
    except OSError as error:
        raise StorageError(
            f"cannot write there: {error.strerror}", where=str(error.filename or folder), hint="choose another folder"
        ) from error
    command = f"python run_graph.py run {shlex.quote(str(folder))}"
    written = [str(folder / name) for name in FILES]
    output.result(
        {"files": written, "next": command},
        "\n".join([f"wrote  {path}" for path in written])
        + f"\ntry    {command} --dry-run   (checks it)\n       {command}   (about half a minute)",
    )
    return 0


def _filled(name: str, folder: Path) -> str:
    """A template with the folder's name in it."""
    text = resources.files("service").joinpath("templates", name).read_text(encoding="utf-8")
    return text.replace("{name}", campaign_name(folder)).replace("{folder}", shlex.quote(str(folder)))


def campaign_name(folder: Path) -> str:
    """The folder's name as far as a campaign may be called so."""
    name = re.sub(r"[^a-zA-Z0-9._-]+", "-", folder.absolute().name).strip("-._")[:64]
    return name or "campaign"
