"""Requests go to the threads of their group; more than can be answered are refused."""

import json
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING

from django.conf import LazySettings

from perf.deadlines import remaining_s
from perf.limits.dispatching import Dispatching
from perf.limits.routes import DEFAULT, HEALTH
from perf.limits.thread_group import ThreadGroup
from perf.metrics import SHED
from perf.switches import Switch
from tests.support.detached import begin, send
from tests.support.waiting import wait_until
from tests.support.wsgi_doubles import Application

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

EXPORT = "/api/v1/events/export"
BATCH = "/api/v1/assess/batch"


def threads(max_inside: int = 1, *, waiting: int = 0, own: int = 1) -> ThreadGroup:
    return ThreadGroup(
        "test", max_inside=max_inside, max_waiting=waiting, max_per_caller=own
    )


def dispatching(app: "WSGIApplication", default: ThreadGroup) -> Dispatching:
    names = (HEALTH, "events", "admin", "exports")
    return Dispatching(
        app, groups={DEFAULT: default, **{name: threads() for name in names}}
    )


@contextmanager
def one_at_work() -> Generator[Dispatching]:
    """Have the only thread of `default` at work inside the block; others are quick."""
    go_on = Event()

    def work() -> None:
        if len(application.asked) == 1:
            go_on.wait(10)

    application = Application(work)
    app = dispatching(application, threads())
    first = begin(app)
    wait_until(lambda: application.asked)
    yield app
    go_on.set()
    assert first.is_answered.wait(10)


def test_what_is_too_much_is_refused_at_once_and_told_when_to_come_back() -> None:
    go_on = Event()
    app = dispatching(Application(lambda: go_on.wait(10)), threads())
    before = SHED.labels("default")._value.get()
    first = begin(app)
    refused = send(app, HTTP_X_REQUEST_ID="mine")
    body = json.loads(refused.body)
    assert (refused.status, body["code"]) == (503, "overloaded")
    assert refused.headers["X-Request-ID"] == body["request_id"] == "mine"
    assert 1 <= int(refused.headers["Retry-After"]) <= 3
    assert not first.is_answered.is_set()
    go_on.set()
    assert first.is_answered.wait(10)
    assert first.status == 200
    assert SHED.labels("default")._value.get() == before + 1


def test_liveness_needs_no_thread_and_other_probes_have_their_own() -> None:
    with one_at_work() as app:
        probes = "/health/live", "/health/ready"
        assert [send(app, path).status for path in probes] == [200, 200]


def test_who_waits_is_served_when_a_thread_is_free() -> None:
    go_on = Event()
    app = dispatching(Application(lambda: go_on.wait(10)), threads(waiting=2))
    requests = [begin(app), begin(app)]
    go_on.set()
    assert all(request.is_answered.wait(10) for request in requests)
    assert [request.status for request in requests] == [200, 200]


def test_a_failure_gives_its_thread_back_and_is_an_answer() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    app = dispatching(Application(fail), threads())
    assert send(app).status == 500

    def is_answered() -> bool:
        return send(app).status == 500

    # The thread is given back a moment after the answer.
    wait_until(is_answered)


def test_a_stream_keeps_its_thread_until_its_end_and_takes_none_of_the_others() -> None:
    go_on, is_read = Event(), Event()

    def stream(
        environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        start_response("200 OK", [])
        return parts() if environ["PATH_INFO"] == EXPORT else [b"done"]

    def parts() -> Iterator[bytes]:
        is_read.set()
        assert go_on.wait(10)
        yield b"part"

    app = dispatching(stream, threads())
    reading = begin(app, EXPORT)
    assert is_read.wait(10)
    assert [send(app, path).status for path in (EXPORT, "/")] == [503, 200]
    go_on.set()
    assert reading.is_answered.wait(10)
    wait_until(lambda: send(app, EXPORT).status == 200)


def test_switched_off_everybody_comes_in(settings: LazySettings) -> None:
    settings.PERFORMANCE_OFF = frozenset({Switch.LIMITS})
    app = dispatching(Application(), threads(own=0))
    assert send(app).status == 200


def test_each_group_has_threads_of_its_own_and_others_share_the_rest() -> None:
    with one_at_work() as app:
        own = ("/admin/login/", "/api/v1/events", EXPORT)
        assert [send(app, path).status for path in own] == [200] * 3
        assert [send(app, path).status for path in ("/", BATCH)] == [503] * 2


def test_one_caller_leaves_a_thread_to_others() -> None:
    go_on = Event()
    application = Application(lambda: go_on.wait(10))
    app = dispatching(application, threads(2))
    greedy = begin(app, HTTP_X_API_KEY="greedy")
    assert send(app, HTTP_X_API_KEY="greedy").status == 503
    other = begin(app, HTTP_X_API_KEY="other")
    wait_until(lambda: len(application.asked) == 2)
    go_on.set()
    for request in (greedy, other):
        assert request.is_answered.wait(10)
        assert request.status == 200


def test_the_time_limit_begins_when_the_request_arrives() -> None:
    left_s: list[float | None] = []
    go_on = Event()

    def work() -> None:
        left_s.append(remaining_s())
        go_on.wait(10)

    app = dispatching(Application(work), threads(waiting=2))
    first = begin(app)
    wait_until(lambda: left_s)
    second = begin(app, HTTP_X_REQUEST_TIMEOUT="7")
    is_over = Event()
    is_over.wait(0.2)
    go_on.set()
    assert first.is_answered.wait(10)
    assert second.is_answered.wait(10)
    assert left_s[0] is not None
    assert 29 < left_s[0] <= 30
    assert left_s[1] is not None
    assert left_s[1] <= 6.8
