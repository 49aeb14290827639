"""Bodies are read whole; what is too slow is ended, the oldest stay."""

from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event

import pytest

from perf.limits.body_reading import BodyPace, BodyReader, EndedError
from riskplatform.kernel.detaching import Detachable
from riskplatform.kernel.errors import ApplicationError, BodyTooLargeError
from tests.support.waiting import wait_until


class Request:
    """A request with a body that comes in the parts that it is given."""

    def __init__(self) -> None:
        self.parts: SimpleQueue[bytes] = SimpleQueue()
        self.is_read = Event()
        self.ended_with: str | None = None
        self.request_id = ""

    def read(self, _size: int) -> bytes:
        self.is_read.set()
        return self.parts.get()

    def detach(self) -> list[bytes]:
        return []

    def deliver(self, answer: object) -> None: ...

    def expel(self, status: int, headers: object, body: bytes) -> None: ...


def end(request: Detachable, error: ApplicationError) -> None:
    assert isinstance(request, Request)
    request.ended_with = error.code
    request.parts.put(b"")


def reader(**pace: float) -> BodyReader:
    usual = {"grace_s": 30, "bytes_per_s": 1_000, "max_slow": 3}
    return BodyReader(BodyPace(**usual | {"max_slow_per_address": 2} | pace), end)  # type: ignore[arg-type]  # numbers


@pytest.fixture
def threads() -> Generator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as threads:
        yield threads


def begin(
    threads: ThreadPoolExecutor, bodies: BodyReader, address: str
) -> tuple[Request, "Future[bytes]"]:
    request = Request()
    future = threads.submit(bodies.read_short, request, address, request, 10)
    assert request.is_read.wait(10)
    return request, future


def test_a_body_in_parts_is_put_together_whatever_its_length() -> None:
    for length in (6, None):
        request = Request()
        for part in (b"abc", b"def", b""):
            request.parts.put(part)
        with reader().read(request, "a", request, length, most=6) as body:
            assert body.read() == b"abcdef"


def test_more_than_is_allowed_is_refused_while_it_comes() -> None:
    request = Request()
    request.parts.put(b"x" * 11)
    with pytest.raises(BodyTooLargeError):
        reader().read(request, "a", request, None, most=10)


def test_what_does_not_come_in_time_is_ended(threads: ThreadPoolExecutor) -> None:
    request, future = begin(threads, reader(grace_s=0.05), "a")
    with pytest.raises(EndedError):
        future.result(10)
    assert request.ended_with == "slow_body"


def test_of_the_slow_the_oldest_stay_and_of_one_address_only_some(
    threads: ThreadPoolExecutor,
) -> None:
    bodies = reader()
    reads = [begin(threads, bodies, address) for address in "aaabb"]
    ended = [False, False, True, False, True]
    wait_until(lambda: [bool(request.ended_with) for request, _ in reads] == ended)
    assert {request.ended_with for request, _ in reads} == {None, "overloaded"}
    assert [bodies.may_read(address) for address in "abc"] == [False] * 3
    for (request, future), is_ended in zip(reads, ended, strict=True):
        if not is_ended:
            request.parts.put(b"body")
            assert future.result(10) == b"body"
    wait_until(lambda: all(bodies.may_read(address) for address in "abc"))


def test_an_address_with_slow_bodies_may_still_send_quick_ones(
    threads: ThreadPoolExecutor,
) -> None:
    bodies = reader(max_slow=5)
    reads = [begin(threads, bodies, "a") for _ in range(3)]
    wait_until(lambda: reads[2][0].ended_with)
    assert bodies.may_read("a")
    quick, future = begin(threads, bodies, "a")
    quick.parts.put(b"quick")
    assert future.result(10) == b"quick"
    for request, _ in reads[:2]:
        request.parts.put(b"")
