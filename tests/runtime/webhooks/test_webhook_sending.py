"""Signatures, addresses, and one message to a real receiver on loopback."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ConfigError
from runtime.webhooks.courier import Courier, Pace
from runtime.webhooks.sending import Answer, Message, send
from runtime.webhooks.signature import read_secret, signed_headers, verify
from runtime.webhooks.target import Target
from tests.collectors.webhook_receiver import Receiver, webhook_receiver

KEY = b"k" * 32
FAST = Pace(first_s=0.01, most_s=0.05, tries=4)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with webhook_receiver() as one:
        yield one


def test_the_example_of_the_convention_has_its_signature() -> None:
    """Of https://github.com/standard-webhooks/standard-webhooks, its libraries' own test."""
    key = read_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signed_headers(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330.9, b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["webhook-timestamp"] == "1614265330"


@given(body=st.binary(), other=st.binary(), at=st.floats(0, 4e9))
def test_only_what_was_signed_is_verified(body: bytes, other: bytes, at: float) -> None:
    headers = signed_headers(KEY, "msg_1", at, body)
    assert verify(KEY, headers, body, now=at)
    assert verify(KEY, headers, other, now=at) == (other == body)
    assert not verify(b"x" * 32, headers, body, now=at)
    assert not verify(KEY, {**headers, "webhook-id": "msg_2"}, body, now=at)
    assert not verify(KEY, headers, body, now=at + 302)


def test_a_receiver_may_be_sent_two_signatures_while_a_key_is_changed() -> None:
    headers = signed_headers(KEY, "m", 5.0, b"x")
    both = {**headers, "webhook-signature": f"v1,{base64.b64encode(b'old').decode()} {headers['webhook-signature']}"}
    assert verify(KEY, both, b"x", now=5.0)


@pytest.mark.parametrize("text", ["", "tooshort", "whsec_", "whsec_not base64!", "whsec_c2hvcnQ="])
def test_a_secret_that_is_none_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_secret(text)
    assert len(text) < 7 or text not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/x",
        "example.com/hook",
        "https://",
        "https://user:pw@example.com/x",
        "http://example.com/x",  # unencrypted, and elsewhere
        "https://example.com/a b",
        "https://example.com:99999/x",
        "http://[::1",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        Target.of(url)


@pytest.mark.parametrize(
    "url", ["http://localhost:9/x", "http://127.0.0.1:9/x", "http://[::1]:9/", "http://10.1.2.3/x"]
)
def test_an_address_that_says_it_is_near_is_taken_at_its_word(url: str) -> None:
    assert Target.of(url).private


def test_the_path_is_neither_shown_nor_stored() -> None:
    target = Target.of("https://example.com/hooks/s3cret?token=t0ken")
    assert "s3cret" not in repr(target) + target.name + target.id
    assert "t0ken" not in repr(target) + target.name + target.id


def test_a_name_that_leads_to_this_machine_is_refused_unless_that_was_said() -> None:
    name = socket.gethostname()
    try:
        address = socket.gethostbyname(name)
    except OSError:
        pytest.skip("this machine's own name leads nowhere")
    if address.startswith(("127.", "10.", "172.", "192.168.")):
        answer = send(Target.of(f"https://{name}:9/x"), KEY, Message("m", b"{}"))
        assert answer.outcome == "refused"
        assert "private address" in answer.reason
        assert send(Target.of(f"https://{name}:9/x", private=True), KEY, Message("m", b"{}")).outcome == "later"
    else:
        pytest.skip("this machine's own name is a public address")


def test_a_message_arrives_signed(receiver: Receiver) -> None:
    assert send(Target.of(receiver.url), KEY, Message("msg_1", b'{"a":1}')) == Answer("accepted", 200)
    (got,) = receiver.got
    assert got.path == "/hook?token=hidden"
    assert got.headers["content-type"] == "application/json"
    assert verify(KEY, got.headers, got.body, now=time.time())
    assert json.loads(got.body) == {"a": 1}


@pytest.mark.parametrize(
    ("status", "headers", "outcome", "wait_s"),
    [
        (204, {}, "accepted", None),
        (302, {"Location": "http://127.0.0.1:1/"}, "refused", None),
        (404, {}, "refused", None),
        (410, {}, "gone", None),
        (429, {"Retry-After": "7"}, "later", 7.0),
        (500, {}, "later", None),
        (503, {"Retry-After": "999999"}, "later", 3600.0),
        (503, {"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, "later", 0.0),
        (503, {"Retry-After": "soon"}, "later", None),
    ],
)
def test_what_an_answer_means(
    receiver: Receiver, status: int, headers: dict[str, str], outcome: str, wait_s: float | None
) -> None:
    receiver.script = lambda _: (status, headers)
    answer = send(Target.of(receiver.url), KEY, Message("m", b"{}"))
    assert (answer.outcome, answer.wait_s) == (outcome, wait_s)
    assert len(receiver.got) == 1  # a redirection is not followed


def test_nobody_there_is_no_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused
        answer = send(Target.of(f"http://127.0.0.1:{taken.getsockname()[1]}/"), KEY, Message("m", b"{}"))
    assert answer.outcome == "later"


class Post:
    """Messages that wait, and what became of them."""

    def __init__(self, *names: str) -> None:
        self.waiting = [Message(name, b"{}") for name in names]
        self.done: list[tuple[str, str]] = []
        self.told: list[str] = []
        self.finished = threading.Event()

    def pending(self) -> list[Message]:
        taken, self.waiting = self.waiting[:2], self.waiting[2:]
        if not taken:
            self.finished.set()
        return taken

    def note(self, message: Message, answer: Answer) -> None:
        self.done.append((message.id, answer.outcome))


def test_messages_go_in_order_and_are_tried_again_under_the_same_id(receiver: Receiver) -> None:
    receiver.script = lambda number: (500 if number <= 2 else 200, {})
    post = Post("a", "b", "c")
    courier = Courier(Target.of(receiver.url), KEY, post.pending, post.note, post.told.append, pace=FAST)
    courier.start()
    courier.wake()
    assert post.finished.wait(60)
    assert courier.stop()
    assert [got.headers["webhook-id"] for got in receiver.got] == ["a", "a", "a", "b", "c"]
    assert post.done == [("a", "accepted"), ("b", "accepted"), ("c", "accepted")]
    assert len(post.told) == 1  # trouble is told once
    assert "hidden" not in post.told[0]


def test_it_waits_as_long_as_it_was_asked_to(receiver: Receiver) -> None:
    receiver.script = lambda number: (429, {"Retry-After": "1"}) if number == 1 else (200, {})
    post = Post("a")
    courier = Courier(Target.of(receiver.url), KEY, post.pending, post.note, post.told.append, pace=FAST)
    begun = time.monotonic()
    courier.start()
    courier.wake()
    assert post.finished.wait(60)
    assert time.monotonic() - begun >= 0.99  # never sooner; how much later is the machine's affair
    assert courier.stop()


def test_one_that_is_never_accepted_is_given_up_and_the_next_one_goes(receiver: Receiver) -> None:
    receiver.script = lambda number: (500, {}) if number <= FAST.tries else (200, {})
    post = Post("a", "b")
    courier = Courier(Target.of(receiver.url), KEY, post.pending, post.note, post.told.append, pace=FAST)
    courier.start()
    courier.wake()
    assert post.finished.wait(60)
    assert post.done == [("a", "later"), ("b", "accepted")]
    courier.stop()


def test_a_silent_receiver_holds_nobody_up_at_the_end(receiver: Receiver) -> None:
    receiver.script = lambda _: (503, {"Retry-After": "3000"})
    post = Post("a")
    courier = Courier(Target.of(receiver.url), KEY, post.pending, post.note, post.told.append)
    courier.start()
    courier.wake()
    receiver.wait_for(lambda r: len(r.got) == 1)
    assert courier.stop() is False  # it would hang here for 3,000 s
    assert post.done == []


def test_a_receiver_that_wants_nothing_more_gets_nothing_more(receiver: Receiver) -> None:
    receiver.script = lambda _: (410, {})
    post = Post("a", "b")
    courier = Courier(Target.of(receiver.url), KEY, post.pending, post.note, post.told.append, pace=FAST)
    courier.start()
    courier.wake()
    receiver.wait_for(lambda r: len(r.got) == 1)
    courier.stop()
    assert post.done == [("a", "gone")]
    assert len(receiver.got) == 1


def test_a_store_that_fails_ends_no_thread(receiver: Receiver) -> None:
    post = Post("a")
    calls: list[int] = []

    def pending() -> list[Message]:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("the disk is full")
        return post.pending()

    courier = Courier(Target.of(receiver.url), KEY, pending, post.note, post.told.append, pace=FAST)
    courier.start()
    courier.wake()
    while not post.told:
        time.sleep(0.005)
    courier.wake()
    assert post.finished.wait(60)
    assert post.done == [("a", "accepted")]
    assert courier.stop() is False  # it says that something was amiss
