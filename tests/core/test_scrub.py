"""Secrets in text, in programs and in data."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.scrub import scrubbed, scrubbed_code, scrubbed_data

KEYS = (
    "sk-proj-abcdefghijkl0123",
    "ghp_abcdefghijklmnop0123",
    "AKIAABCDEFGHIJKLMNOP",
    "eyJhbGciOiJI.eyJzdWIiOiIx.c2ln",
)


@pytest.mark.parametrize(
    "text", ["task-level skipping", "the token rate is 5", "a@b", "learning_rate=0.1", "risk-averse"]
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert scrubbed(text) == text


@pytest.mark.parametrize(
    "code",
    [
        "token = next(tokens)",
        "password = getpass.getpass()",
        "y = W@x.transpose(0, 1)",
        "secret: str = field()",
        'print(f"token: {token}")',
        "for token in tokenizer.encode(text): pass",
    ],
)
def test_a_program_still_runs(code: str) -> None:
    assert scrubbed_code(code) == code


@pytest.mark.parametrize("key", KEYS)
def test_a_key_in_a_program_is_gone_and_it_still_parses(key: str) -> None:
    code = f'CLIENT = connect("{key}")\napi_key = "{key}"\nDB_PASSWORD = "hunter2hunter2"\n'
    told = scrubbed_code(code)
    assert key not in told
    assert "hunter2" not in told
    ast.parse(told)


def test_data_is_scrubbed_by_what_it_is() -> None:
    told = scrubbed_data({
        "api_key": "not-to-be-told",
        "db": {"db_password": "p", "tokens": 3, "token": 7},
        "result": {"code": "token = next(tokens)", "log": "token = abcdefgh"},
        "files": {"a.py": "x = W@y.transpose()"},
        "steps": [f"call with {KEYS[0]}", None, 1.5],
    })  # fmt: skip
    assert told == {
        "api_key": "[key]",
        "db": {"db_password": "[key]", "tokens": 3, "token": 7},
        "result": {"code": "token = next(tokens)", "log": "token = [key]"},
        "files": {"a.py": "x = W@y.transpose()"},
        "steps": ["call with [key]", None, 1.5],
    }


DATA = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(), st.sampled_from([f"token={k}" for k in KEYS])),
    lambda inner: st.one_of(
        st.lists(inner), st.dictionaries(st.sampled_from(["code", "api_key", "log", "token"]), inner)
    ),
)


@given(DATA)
def test_what_is_scrubbed_stays_as_it_is(value: object) -> None:
    told = scrubbed_data(value)
    assert scrubbed_data(told) == told
    assert not any(key in repr(told) for key in KEYS)
