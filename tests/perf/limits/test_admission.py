"""More requests than can be worked on are sent away at once, and no place is lost."""

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING

import pytest
from django.conf import LazySettings

from perf.limits.admission import Admission
from perf.limits.queueing import Gate
from perf.metrics import SHED
from perf.switches import Switch
from tests.support.waiting import wait_until
from tests.support.wsgi_doubles import Application, ask

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

EXPORT = "/api/v1/events/export"
BATCH = "/api/v1/assess/batch"


def shed(route_class: str) -> float:
    return float(SHED.labels(route_class)._value.get())


class Stream:
    """An answer that is made while it is read."""

    streaming = True
    is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield b"part"

    def close(self) -> None:
        self.is_closed = True


def stream(_: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    start_response("200 OK", [])
    return Stream()


def test_what_is_too_much_is_refused_at_once_and_told_when_to_come_back() -> None:
    at_work, go_on = Event(), Event()

    def work() -> None:
        at_work.set()
        assert go_on.wait(10)

    gate = Gate(max_inside=1, max_waiting=0)
    app, before = Admission(Application(work), gate=gate), shed("default")
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(ask, app)
        assert at_work.wait(10)
        refused = ask(app, HTTP_X_REQUEST_ID="mine")
        probe = threads.submit(lambda: ask(app, "/health/live"))
        go_on.set()
        assert first.result(10).status == 200
    body = json.loads(refused.body)
    assert (refused.status, body["code"]) == (503, "overloaded")
    assert refused.headers["X-Request-ID"] == body["request_id"] == "mine"
    assert 1 <= int(refused.headers["Retry-After"]) <= 3
    assert probe.result(10).status == 200
    assert shed("default") == before + 1


def test_a_probe_needs_no_place() -> None:
    gate = Gate(max_inside=0, max_waiting=0)
    app = Admission(Application(), gate=gate)
    assert [ask(app, path).status for path in ("/health/ready", "/")] == [200, 503]


def test_who_waits_is_served_when_a_place_is_free() -> None:
    go_on = Event()
    gate = Gate(max_inside=1, max_waiting=1)
    app = Admission(Application(lambda: go_on.wait(10)), gate=gate)
    with ThreadPoolExecutor(2) as threads:
        answers = [threads.submit(ask, app) for _ in range(2)]
        wait_until(lambda: gate.n_waiting == 1)
        go_on.set()
        assert [answer.result(10).status for answer in answers] == [200, 200]
    assert (gate.n_inside, gate.n_waiting) == (0, 0)


def test_a_failure_gives_its_place_back() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    gate = Gate(max_inside=1, max_waiting=0)
    app = Admission(Application(fail), gate=gate)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            ask(app)
    assert gate.n_inside == 0


def test_a_stream_keeps_its_place_until_it_is_closed_and_takes_none_of_the_others() -> (
    None
):
    gate, streams = Gate(max_inside=1, max_waiting=0), Gate(max_inside=1, max_waiting=0)
    app = Admission(stream, gate=gate, streams=streams)
    reading = app({"PATH_INFO": EXPORT}, lambda *_: lambda _: None)
    assert next(iter(reading)) == b"part"
    assert (gate.n_inside, streams.n_inside) == (0, 1)
    assert [ask(app, EXPORT).status, ask(app, "/").status] == [503, 200]
    for _ in range(2):
        reading.close()  # type: ignore[attr-defined]  # a server asks as well
    assert (ask(app, EXPORT).status, streams.n_inside) == (200, 0)


def test_a_stream_that_is_read_to_its_end_has_given_its_place_back() -> None:
    streams = Gate(max_inside=1, max_waiting=0)
    app = Admission(stream, streams=streams)
    reading = app({"PATH_INFO": EXPORT}, lambda *_: lambda _: None)
    assert list(reading) == [b"part"]
    assert streams.n_inside == 0
    reading.close()  # type: ignore[attr-defined]  # a server asks as well
    assert streams.n_inside == 0


def test_an_export_that_is_refused_is_no_stream() -> None:
    streams = Gate(max_inside=1, max_waiting=0)
    app = Admission(Application(), streams=streams)
    app({"PATH_INFO": EXPORT}, lambda *_: lambda _: None)
    assert streams.n_inside == 0


def test_switched_off_everybody_comes_in(settings: LazySettings) -> None:
    settings.PERFORMANCE_OFF = frozenset({Switch.LIMITS})
    app = Admission(Application(), gate=Gate(max_inside=0, max_waiting=0))
    assert ask(app).status == 200


def test_each_group_has_places_of_its_own_and_others_share_the_rest() -> None:
    at_work, go_on = Event(), Event()

    def work() -> None:
        at_work.set()
        assert go_on.wait(10)

    app = Admission(Application(work), gate=Gate(max_inside=1, max_waiting=0))
    quick = Application()
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(ask, app)
        assert at_work.wait(10)
        app._app = quick
        statuses = {
            path: ask(app, path).status
            for path in ("/admin/login/", "/api/v1/events", EXPORT, "/", BATCH)
        }
        go_on.set()
        assert first.result(10).status == 200
    assert statuses == {
        **dict.fromkeys(("/admin/login/", "/api/v1/events", EXPORT), 200),
        **dict.fromkeys(("/", BATCH), 503),
    }


def test_one_caller_leaves_a_place_to_others() -> None:
    go_on = Event()
    gate = Gate(max_inside=2, max_waiting=0, max_per_caller=1)
    app = Admission(Application(lambda: go_on.wait(10)), gate=gate)
    with ThreadPoolExecutor(2) as threads:
        greedy = threads.submit(ask, app, HTTP_X_API_KEY="greedy")
        wait_until(lambda: gate.n_inside == 1)
        assert ask(app, HTTP_X_API_KEY="greedy").status == 503
        other = threads.submit(ask, app, HTTP_X_API_KEY="other")
        wait_until(lambda: gate.n_inside == 2)
        go_on.set()
        assert [greedy.result(10).status, other.result(10).status] == [200, 200]
