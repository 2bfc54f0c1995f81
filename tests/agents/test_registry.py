"""Roles are found by name, file, import path and entry point, and what is wrong is said when they are made."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agents import registry
from core.campaign import Use
from core.errors import ConfigError

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "tests" / "plugin"
ROLE_FILE = """
from agents.registry import voter
from core.records import Vote

@voter("optimist")
def optimist(score: float = 1.0):
    async def vote(proposal, case, kit):
        return Vote(proposal_id=proposal.id, voter="optimist", score=score, reason="it will be fine")
    return vote
"""


def test_every_role_of_ours_is_known() -> None:
    assert {role: sorted(registry.known(role)) for role in registry.ROLES} == {
        "director": ["advised", "thresholds"],
        "proposer": [
            "analogy",
            "bayes",
            "commenter",
            "constants",
            "guidance",
            "idea",
            "lint_fixes",
            "probe",
            "quasi_random",
            "recombine",
            "recombine_code",
            "refine",
            "revise",
            "rewrite",
        ],
        "voter": [
            "change_novelty",
            "change_size",
            "constraints",
            "guidance",
            "novelty",
            "operator_record",
            "persona",
            "reward",
            "world_model",
        ],
        "supervisor": ["gatekeeper", "reviewed"],
        "executor": ["annotate", "job", "judge"],
        "historian": ["chronicler", "code_chronicler", "reflective"],
    }


def test_an_unknown_name_names_the_nearest() -> None:
    with pytest.raises(ConfigError) as caught:
        registry.make("voter", Use(use="novelti"), ROOT)
    assert "novelti" in caught.value.what
    assert "'novelty'" in caught.value.hint


def test_a_wrong_parameter_names_the_nearest() -> None:
    with pytest.raises(ConfigError) as caught:
        registry.make("voter", Use.model_validate({"use": "novelty", "radios": 0.1}), ROOT)
    assert "'radios'" in caught.value.what
    assert "'radius'" in caught.value.hint


def test_a_role_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(ROLE_FILE)
    assert callable(registry.make("voter", Use.model_validate({"use": "mine.py:optimist", "score": 0.5}), tmp_path))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("absent.py:optimist", "there is no file absent.py"),
        ("mine.py:pessimist", "no factory 'pessimist'"),
        ("broken.py:optimist", "cannot be imported: SyntaxError"),
        ("no_such_package.voters:x", "cannot import 'no_such_package.voters'"),
    ],
)
def test_what_cannot_be_loaded_is_said(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "mine.py").write_text(ROLE_FILE)
    (tmp_path / "broken.py").write_text("def (")
    with pytest.raises(ConfigError) as caught:
        registry.make("voter", Use(use=name), tmp_path)
    assert said in caught.value.what


def test_a_role_by_import_path() -> None:
    assert callable(registry.make("voter", Use(use="agents.voters.novelty:novelty"), ROOT))


def test_two_roles_of_one_name_are_refused() -> None:
    def other() -> None: ...

    registry.known("voter")
    with pytest.raises(ConfigError, match="two voters are called 'novelty'"):
        registry.voter("novelty")(other)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a Python in which the plugin package is installed."""
    site = tmp_path_factory.mktemp("site")
    source = tmp_path_factory.mktemp("source") / "plugin"
    subprocess.run(["cp", "-r", str(PLUGIN), str(source)], check=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--target", str(site), str(source)], check=True, timeout=120)
    return {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{ROOT}"}


def test_an_installed_package_brings_its_roles(installed: dict[str, str]) -> None:
    code = "from agents import registry; print(sorted(registry.known('proposer')), sorted(registry.known('voter')))"
    told = subprocess.run([sys.executable, "-c", code], env=installed, capture_output=True, text=True, check=True)
    assert "'corners'" in told.stdout
    assert "'frugal'" in told.stdout


def test_the_installed_package_passes_the_shipped_contracts(installed: dict[str, str]) -> None:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(PLUGIN / "tests")]
    told = subprocess.run(command, env=installed, capture_output=True, text=True, cwd=PLUGIN, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "6 passed" in told.stdout
