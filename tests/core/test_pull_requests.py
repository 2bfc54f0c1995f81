"""Changes and proposals: what they refuse, their JSON, and the id that their content makes."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from core.pull_requests import CodeChange, PRProposal, git_blob_id, proposal_id_of

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
CHANGES = st.builds(
    CodeChange,
    file_path=st.sampled_from(["a.py", "b/c.py", "ü.bin"]),
    new_content=TEXT | st.binary(),
    change_type=st.just("create"),
    rationale=TEXT,
)


@settings(deadline=None)
@given(CHANGES)
def test_a_change_comes_back_from_json_as_it_was(change: CodeChange) -> None:
    again = CodeChange.model_validate_json(change.model_dump_json())
    assert again == change
    assert type(again.new_content) is type(change.new_content)


@pytest.mark.parametrize("content", [b"", b"hello\n", b"\x00\xff", "größe\r\n".encode()])
def test_a_file_has_the_name_that_git_gives_it(content: bytes) -> None:
    git = subprocess.run(["git", "hash-object", "--stdin"], input=content, capture_output=True, check=True)
    assert git_blob_id(content) == git.stdout.decode().strip()


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../x", "a/../x", "a//b", "./a", ".git/hooks/x", "a/.GIT/x", "a\\b", "a\nb", "a/"]
)
def test_a_path_outside_is_refused(path: str) -> None:
    with pytest.raises(ValidationError):
        CodeChange(file_path=path, new_content="x", change_type="create")


@pytest.mark.parametrize(
    "fields",
    [
        {"change_type": "create", "original_content": "x"},
        {"change_type": "delete", "new_content": "x"},
        {"change_type": "update", "original_content": "x", "new_content": b"x"},
        {"change_type": "rename"},
        {"change_type": "create", "new_content": "\ud800"},
    ],
)
def test_a_change_that_is_none_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CodeChange.model_validate({"file_path": "a.py", **fields})


@settings(deadline=None)
@given(st.lists(CHANGES, min_size=1, max_size=3), st.randoms())
def test_the_id_is_made_of_the_content_whatever_its_order(changes: list[CodeChange], rng: Any) -> None:
    mixed = rng.sample(changes, len(changes))
    made = proposal_id_of(tuple(changes), "title", "why")
    assert made == proposal_id_of(tuple(mixed), "title", "why")
    assert made != proposal_id_of(tuple(changes), "title", "why not")
    other = CodeChange(file_path="other", new_content="", change_type="create")
    assert made != proposal_id_of((*changes, other), "title", "why")


ID = "0123456789ab"


@pytest.mark.parametrize(
    "fields",
    [
        {"proposal_id": "0123"},
        {"branch_name": "p/other"},
        {"branch_name": f"a..b/{ID}"},
        {"branch_name": f"-p/{ID}"},
        {"branch_name": f"p /{ID}"},
        {"branch_name": f"p/{ID}.lock"},
        {"title": "two\nlines"},
        {"title": " "},
        {"body": "x" * 65_537},
        {"changes": []},
        {"changes": [{"file_path": "a", "change_type": "create"}, {"file_path": "a", "change_type": "delete"}]},
        {"changes": [{"file_path": "a", "change_type": "create"}, {"file_path": "a/b", "change_type": "create"}]},
        {"created_at": float("nan")},
    ],
)
def test_a_proposal_that_cannot_be_sent_is_refused(fields: dict[str, Any]) -> None:
    good = {
        "title": "t",
        "body": "b",
        "branch_name": f"p/{ID}",
        "changes": [{"file_path": "a", "new_content": "x", "change_type": "create"}],
        "created_at": 1.9,
        "proposal_id": ID,
    }
    assert PRProposal.model_validate(good).commit_date == "1970-01-01T00:00:01Z"
    with pytest.raises(ValidationError):
        PRProposal.model_validate({**good, **fields})
