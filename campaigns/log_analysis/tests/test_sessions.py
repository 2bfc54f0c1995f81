from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

from lines import at, request
from logstats import SETTINGS, User, join_users, load_by_team, sessions_of


def shown(sessions):
    return [(one.user, [(each.moment - at(0)).total_seconds() for each in one.requests]) for one in sessions]


def test_a_longer_pause_begins_a_session():
    requests = [request(0), request(1800), request(3601), request(100, user="bob"), request(50, user="-")]
    assert shown(sessions_of(requests)) == [("ann", [0, 1800]), ("bob", [100]), ("ann", [3601])]
    assert sessions_of(requests)[0].seconds == 1800
    assert sessions_of([]) == []


def test_lines_need_not_be_in_order_of_time():
    requests = [request(seconds) for seconds in (900, 0, 5000, 600, 300, 4000)]
    assert shown(sessions_of(iter(requests))) == [("ann", [0, 300, 600, 900]), ("ann", [4000, 5000])]


def test_requests_of_one_moment_stay_in_order_of_their_lines():
    requests = [request(5, path="/b"), request(0, path="/x"), request(5, path="/a"), request(5, path="/c")]
    assert [one.path for one in sessions_of(requests)[0].requests] == ["/x", "/b", "/a", "/c"]


def test_sessions_that_begin_together_stand_by_user():
    assert shown(sessions_of([request(0, user="zoe"), request(0, user="bob")])) == [("bob", [0]), ("zoe", [0])]


def test_the_pause_in_force_counts():
    requests = [request(0), request(100)]
    assert len(sessions_of(requests)) == 1
    SETTINGS.pause_s = 99
    assert len(sessions_of(requests)) == 2
    SETTINGS.pause_s = 100
    assert len(sessions_of(requests)) == 1


def test_no_request_is_lost_and_no_pause_is_too_long():
    chance = random.Random(14)
    requests = [request(chance.randint(0, 40_000), user=chance.choice(["ann", "bob", "-", "zoe"])) for _ in range(300)]
    sessions = sessions_of(requests)
    inside = Counter(id(each) for one in sessions for each in one.requests)
    assert inside == Counter(id(one) for one in requests if one.user != "-")
    starts = [(one.requests[0].moment, one.user) for one in sessions]
    assert starts == sorted(starts)
    for one in sessions:
        moments = [each.moment for each in one.requests]
        assert all((b - a).total_seconds() <= 1800 for a, b in pairwise(moments))
        assert {each.user for each in one.requests} == {one.user}
        assert all(
            abs((each.moment - mine.moment).total_seconds()) > 1800
            for each in requests
            for mine in one.requests
            if each.user == one.user and id(each) not in {id(x) for x in one.requests}
        )


def test_a_name_in_two_teams_is_joined_twice_in_order_of_the_accounts():
    users = [User("bob", "sales"), User("ann", "legal"), User("ann", "board"), User("eve", "sales")]
    requests = [request(0, user="ann"), request(1, user="joe"), request(2, user="bob"), request(3, user="ann")]
    pairs = join_users(requests, users)
    assert [(one.user, user.team) for one, user in pairs] == [
        ("ann", "legal"),
        ("ann", "board"),
        ("bob", "sales"),
        ("ann", "legal"),
        ("ann", "board"),
    ]
    assert pairs[0][0] is requests[0]
    assert pairs[0][1] is users[1]
    assert join_users([], users) == []
    assert join_users(requests, []) == []


def test_a_join_agrees_with_looking_at_all_pairs():
    chance = random.Random(15)
    users = [User(chance.choice("abcdefgh"), chance.choice("xyz")) for _ in range(12)]
    requests = [request(i, user=chance.choice("abcdefghij-")) for i in range(80)]
    wanted = [(id(one), id(user)) for one in requests for user in users if user.name == one.user]
    assert [(id(one), id(user)) for one, user in join_users(requests, users)] == wanted


def test_the_load_of_teams():
    users = [User("ann", "legal"), User("bob", "sales"), User("ann", "sales")]
    requests = [
        request(0, user="bob", duration=0.5),
        request(1, user="ann", duration=0.25),
        request(2, user="bob", duration=1.0),
    ]
    assert list(load_by_team(requests, users).items()) == [("sales", (3, 1.75, 2)), ("legal", (1, 0.25, 1))]
    assert load_by_team(requests, []) == {}
