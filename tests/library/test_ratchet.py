"""The library's face: every promised name is there, and importing it costs nothing."""

import subprocess
import sys

import ratchet

HEAVY = ("torch", "langgraph", "chromadb", "numpy", "sqlalchemy", "scipy")


def test_every_name_can_be_had() -> None:
    for name in ratchet.__all__:
        assert callable(getattr(ratchet, name)), name
    assert sorted(ratchet.__all__) == sorted(n for names in ratchet.HOMES.values() for n in names)


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(ratchet, "Manager")


def test_importing_it_imports_nothing_heavy_and_prints_nothing() -> None:
    code = f"import ratchet, sys; assert not [m for m in {HEAVY!r} if m in sys.modules]"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")
