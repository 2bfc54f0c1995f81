"""Where secrets stand: in plain, in base64 and percent-encoded; and what is none."""

from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.secrets import environment_secrets, find_secrets

ROOT = Path(__file__).parents[2]
SECRETS = (
    "ghp_" + "Ab3d" * 9,
    "github_pat_" + "11AAAAAAA0" * 3,
    "ghs_" + "a" * 36,
    "AKIA" + "ABCDEFGHIJKLMNOP",
    "sk-proj-" + "abcdefghijkl0123",
    "eyJhbGciOiJI" + ".eyJzdWIiOiIx.c2ln",
    "-----BEGIN RSA " + "PRIVATE KEY-----",
    "npm_" + "aB3" * 12,
    "sk_live_" + "4eC39HqLyjWD",
    "api_key = '" + "hunter2hunter2'",
    "DB_PASSWORD=" + "hunter2hunter2",
    "postgresql://bob:" + "swordfish@db/x",
    "Authorization: Bearer " + "mF9aB5f4lJqM12",
)
HARMLESS = (
    "from huggingface_hub import hf_hub_download",
    "sk-learn-contrib, risk-averse and task-level",
    "token = next(tokens)",
    "password = getpass.getpass()",
    "token: ${{ secrets.GITHUB_TOKEN }}",
    'token_type = "Bearer"',
    "password_field = 'new-password-again'",
    "sha256:" + "ab12" * 16,
    "postgresql://user:password@localhost/db",
    "Bearer token required",
    "https://example.org/a%20b?c=%2Fd",
    base64.b64encode(bytes(range(256)) * 4).decode(),
)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("form", ["plain", "base64", "url-safe", "wrapped", "percent", "percent of base64"])
def test_a_secret_is_found_in_its_line_whatever_its_form(secret: str, form: str) -> None:
    data = f"some words; {secret} and more".encode()
    coded = base64.b64encode(data).decode()
    shown = {
        "plain": data.decode(),
        "base64": coded,
        "url-safe": base64.urlsafe_b64encode(data).decode(),
        "wrapped": "\n".join(coded[n : n + 20] for n in range(0, len(coded), 20)),
        "percent": "".join(f"%{byte:02X}" for byte in data),
        "percent of base64": quote(coded, safe=""),
    }[form]
    found = find_secrets(f"first\nsecond {shown}\nthird\n")
    assert {one.line for one in found} == {2}
    forms = {"plain": {"plain"}, "percent": {"percent-encoded"}, "percent of base64": {"percent-encoded", "base64"}}
    assert {one.form for one in found} & forms.get(form, {"base64"})
    assert not any(secret in str(one) for one in found)


@pytest.mark.parametrize("text", HARMLESS)
def test_honest_work_is_not_stopped(text: str) -> None:
    assert find_secrets(text) == []


def test_the_code_of_this_project_holds_none() -> None:
    folders = ("agents", "core", "graph", "memory", "prompts", "runtime", "search", "service", "campaigns")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    assert len(files) > 300
    assert {str(path): found for path in files if (found := find_secrets(path.read_text("utf-8")))} == {}


@settings(deadline=None)
@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=40),
    st.binary(max_size=5),
    st.binary(max_size=5),
)
def test_a_known_secret_is_found_at_any_offset_of_base64(value: str, before: bytes, after: bytes) -> None:
    for shown in (value, base64.b64encode(before + value.encode() + after).decode()):
        assert any(one.kind == "a secret of this machine" for one in find_secrets(f"x {shown}", [value]))
    quoted = "".join(f"%{byte:02x}" for byte in value.encode())
    assert any(one.kind == "a secret of this machine" for one in find_secrets(quoted, [value]))


@settings(deadline=None)
@given(st.text())
def test_any_text_is_looked_through(text: str) -> None:
    assert find_secrets(text) == sorted(set(find_secrets(text)))


@pytest.mark.parametrize(
    "text",
    ["token" * 40_000, "token='" * 20_000, "%41" * 60_000, "a" * 200_000 + "%41", "A1b2" * 50_000, "eyJ" * 60_000,
     "://a:" * 40_000],
    ids=["names", "quotes", "percents", "a run", "base64", "web tokens", "URLs"],
)  # fmt: skip
@pytest.mark.timeout(60)
def test_no_text_is_too_much_to_look_through(text: str) -> None:
    """200,000 characters made to be slow; what is quadratic takes hours."""
    assert isinstance(find_secrets(text), list)


def test_secrets_of_the_environment_are_known_by_their_names() -> None:
    environment = {
        "GITHUB_TOKEN": "a-token-of-github",
        "DB_PASSWORD": "plain words",
        "PATH": "/usr/bin",
        "API_KEY": "short",
    }
    assert environment_secrets(environment) == ["a-token-of-github", "plain words"]
