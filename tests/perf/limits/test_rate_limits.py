"""A client over its rate limit gets 429, and when to retry."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings

from perf.limits.accounts import Accounts
from perf.limits.buckets import Grant
from perf.limits.rates import RateLimits
from perf.limits.shared_buckets import SharedBuckets
from perf.shared_store import StoreUnavailableError
from perf.switches import Switch
from riskplatform.request_limits import rate_limits
from tests.support.wsgi_doubles import Answer, Application, ask

Limited = Callable[..., RateLimits]


class Away(SharedBuckets):
    """A Redis that does not answer."""

    def __init__(self) -> None: ...

    def take(self, *_: Any, **__: Any) -> Grant:
        raise StoreUnavailableError("It is away.")


@pytest.fixture
def limited(settings: LazySettings) -> Limited:
    def make(app: Application | None = None, **limits: str) -> RateLimits:
        settings.RATE_LIMITS = limits
        return RateLimits(app or Application())

    return make


def statuses(app: RateLimits, count: int, **asked: str) -> list[int]:
    return [ask(app, **asked).status for _ in range(count)]


def key() -> str:
    return uuid4().hex


def test_the_answer_to_too_many_says_when_to_come_back(limited: Limited) -> None:
    app, shown = limited(default="2/h"), key()
    answers: list[Answer] = [ask(app, HTTP_X_API_KEY=shown) for _ in range(3)]
    last, body = answers[-1], json.loads(answers[-1].body)
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert last.headers["Content-Type"] == "application/problem+json"
    assert 1_700 < int(last.headers["Retry-After"]) <= 1_800
    assert last.headers["RateLimit-Policy"] == '"default";q=2;w=3600'
    assert last.headers["RateLimit"].startswith('"default";r=0;t=1')
    assert (body["code"], body["status"]) == ("throttled", 429)
    assert body["request_id"] == last.headers["X-Request-ID"]


def test_an_answer_says_what_is_left(limited: Limited) -> None:
    answer = ask(limited(default="2/h"), HTTP_X_API_KEY=key())
    assert answer.headers["RateLimit"] == '"default";r=1;t=1800'
    assert answer.headers["Content-Type"] == "text/plain"


def test_an_id_of_the_request_is_given_back_unless_it_is_dangerous(
    limited: Limited,
) -> None:
    app, shown = limited(default="1/h"), key()
    asked = ["first", "good-1", "bad\r\nSet-Cookie: x"]
    given = [
        ask(app, HTTP_X_API_KEY=shown, HTTP_X_REQUEST_ID=request_id).headers
        for request_id in asked
    ]
    assert given[1]["X-Request-ID"] == "good-1"
    assert len(given[2]["X-Request-ID"]) == 32


def test_each_class_of_routes_has_its_own_bucket(limited: Limited) -> None:
    app, shown = limited(default="1/h", events="2/h"), key()
    assert statuses(app, 3, HTTP_X_API_KEY=shown, path="/api/v1/events") == [
        200,
        200,
        429,
    ]
    assert statuses(app, 2, HTTP_X_API_KEY=shown) == [200, 429]


def test_without_a_limit_for_its_class_a_request_is_free(limited: Limited) -> None:
    app = limited(events="1/h")
    answers = [ask(app, HTTP_X_API_KEY="k") for _ in range(5)]
    assert {answer.status for answer in answers} == {200}
    assert "RateLimit" not in answers[0].headers


def test_probes_are_never_refused(limited: Limited) -> None:
    app = limited(default="1/h", address="1/h")
    assert statuses(app, 5, path="/health/live") == [200] * 5


def test_callers_are_told_apart_by_key_then_session_then_address(
    limited: Limited,
) -> None:
    app, shown, session, place = limited(default="1/h"), key(), key(), key()
    cookie = f"a=b; sessionid={session}"
    callers: list[dict[str, str]] = [
        {"HTTP_X_API_KEY": shown, "HTTP_COOKIE": cookie},
        {"HTTP_COOKIE": cookie},
        {"REMOTE_ADDR": place},
    ]
    assert [statuses(app, 2, **caller) for caller in callers] == [[200, 429]] * 3
    # The same key, shown in the other way, and beside a scheme that is none of ours.
    assert statuses(app, 1, HTTP_AUTHORIZATION=f"bearer {shown}") == [429]
    dodge = {"HTTP_AUTHORIZATION": f"Basic {key()}", "HTTP_X_API_KEY": shown}
    assert statuses(app, 1, **dodge) == [429]


def test_an_address_is_limited_whatever_keys_it_shows(limited: Limited) -> None:
    app, place = limited(default="100/h", address="3/h"), key()
    answers = [
        ask(app, HTTP_X_API_KEY=key(), REMOTE_ADDR=place).status for _ in range(5)
    ]
    assert answers == [200, 200, 200, 429, 429]


@pytest.mark.parametrize(
    ("proxies", "forwarded", "same"),
    [
        (0, "{one}", True),
        (1, "{one}", False),
        (1, "made-up, {one}", False),
        (2, "{one}, proxy", False),
        (2, "proxy", True),
    ],
)
def test_a_forwarded_address_counts_as_far_as_our_proxies_vouch_for_it(
    proxies: int, forwarded: str, same: bool, limited: Limited, settings: LazySettings
) -> None:
    settings.TRUSTED_PROXIES = proxies
    app, place = limited(default="1/h"), key()
    seen = [
        ask(
            app,
            REMOTE_ADDR=place,
            HTTP_X_FORWARDED_FOR=forwarded.format(one=f"{place}-{number}"),
        ).status
        for number in range(2)
    ]
    assert seen == [200, 429 if same else 200]


def test_what_a_caller_makes_up_before_our_proxies_does_not_count(
    limited: Limited, settings: LazySettings
) -> None:
    settings.TRUSTED_PROXIES = 1
    app, place = limited(default="1/h"), key()
    seen = [ask(app, HTTP_X_FORWARDED_FOR=f"{key()}, {place}").status for _ in range(2)]
    assert seen == [200, 429]


def test_who_shows_nothing_has_a_limit_apart(limited: Limited) -> None:
    app, place = limited(default="3/h", anonymous="1/h", events="2/h"), key()
    assert statuses(app, 2, REMOTE_ADDR=place) == [200, 429]
    assert statuses(app, 4, REMOTE_ADDR=place, HTTP_X_API_KEY=key()) == [
        *(200, 200, 200),
        429,
    ]
    # A class with a limit of its own has it for everybody.
    assert statuses(app, 3, REMOTE_ADDR=place, path="/api/v1/events") == [
        *(200, 200),
        429,
    ]


def test_the_product_comes_with_limits_that_hold_without_redis(
    settings: LazySettings,
) -> None:
    settings.RATE_LIMITS = rate_limits({"anonymous": "3/h"})
    assert settings.RATE_LIMITS.keys() >= {"default", "address", "admin"}
    app = RateLimits(Application(), accounts=Accounts(Away()))
    place, shown = key(), key()
    assert statuses(app, 4, REMOTE_ADDR=place) == [200, 200, 200, 429]
    assert statuses(app, 4, REMOTE_ADDR=place, HTTP_X_API_KEY=shown) == [200] * 4


def test_switched_off_nobody_is_refused(
    limited: Limited, settings: LazySettings
) -> None:
    app = limited(default="1/h")
    settings.PERFORMANCE_OFF = frozenset({Switch.LIMITS})
    assert statuses(app, 5, HTTP_X_API_KEY=key()) == [200] * 5
