"""Where GitHub is, and which repository is meant."""

from __future__ import annotations

import pytest

from core.errors import ConfigError
from runtime.github.address import Repository, api_url


@pytest.mark.parametrize(
    ("given", "variable", "url"),
    [
        (None, "", "https://api.github.com"),
        (None, "https://ghe.example.org/api/v3/", "https://ghe.example.org/api/v3"),
        ("https://ghe.example.org", "https://other.example.org", "https://ghe.example.org/api/v3"),
        ("https://api.octo.ghe.com", "", "https://api.octo.ghe.com"),
        ("https://github.com", "", "https://api.github.com"),
        ("http://127.0.0.1:8080", "", "http://127.0.0.1:8080"),
        ("http://localhost/api/v3", "", "http://localhost/api/v3"),
    ],
)
def test_the_address_is_found(given: str | None, variable: str, url: str) -> None:
    assert api_url(given, {"GITHUB_API_URL": variable}) == url


@pytest.mark.parametrize(
    "address",
    ["http://ghe.example.org/api/v3", "ftp://x", "api.github.com", "https://", "https://u:p@h", "https://h?x=1", "http://[",
     "https://h:x"],
)  # fmt: skip
def test_no_token_goes_to_what_is_no_safe_address(address: str) -> None:
    with pytest.raises(ConfigError) as caught:
        api_url(address, {})
    assert "u:p" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["octo", "octo/", "/demo", "a/b/c", "octo/..", "octo/de mo", "oc?to/demo", "../x", "a/%2e"]
)
def test_what_is_no_repository_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        Repository.of(text)


def test_a_path_is_quoted() -> None:
    assert (
        Repository("octo", "de.mo").path("git", "ref", "heads", "a/b?c#d")
        == "/repos/octo/de.mo/git/ref/heads/a/b%3Fc%23d"
    )
