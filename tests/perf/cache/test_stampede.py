import multiprocessing
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from perf.cache.leases import take_lease
from perf.cache.tallies import Outcome
from perf.shared_store import store
from tests.perf.cache.keeping import Clock, Counted, count_of, fresh_parts, int_cache
from tests.perf.waiting import wait_until

CLIENTS = 50


def test_many_threads_compute_once() -> None:
    begun, go_on = Event(), Event()

    def meanwhile() -> None:
        begun.set()
        assert go_on.wait(10)

    cache, parts = int_cache(), fresh_parts()
    compute = Counted(meanwhile=meanwhile)
    with ThreadPoolExecutor(CLIENTS) as threads:
        futures = [
            threads.submit(cache.get_or_compute, parts, compute) for _ in range(CLIENTS)
        ]
        assert begun.wait(10)
        wait_until(
            lambda: cache._flights.waiting(cache.key((*parts, ""))) == CLIENTS - 1
        )
        go_on.set()
    assert [future.result() for future in futures] == [1] * CLIENTS
    assert compute.calls == 1
    assert count_of(cache, Outcome.JOINED) == CLIENTS - 1


def test_an_expiry_under_load_costs_one_computation() -> None:
    clock, parts, compute = Clock(), fresh_parts(), Counted()
    cache = int_cache(clock=clock)
    for expiry in range(4):
        with ThreadPoolExecutor(CLIENTS) as threads:
            list(
                threads.map(
                    lambda _: cache.get_or_compute(parts, compute), range(CLIENTS)
                )
            )
        wait_until(lambda: cache.get_or_compute(parts, compute) == expiry + 1)  # noqa: B023 - at once
        assert compute.calls == expiry + 1
        clock.now_s += 115.0


def _ask_from_outside(parts: tuple[str], answers: Any, start: Any) -> None:
    cache = int_cache(wait_s=30.0)

    def slow() -> int:
        time.sleep(0.3)
        return os.getpid()

    start.wait()
    answers.put(cache.get_or_compute(parts, slow))


def test_several_processes_compute_once() -> None:
    context = multiprocessing.get_context("fork")
    parts, answers, start = fresh_parts(), context.Queue(), context.Barrier(3)
    processes = [
        context.Process(target=_ask_from_outside, args=(parts, answers, start))
        for _ in range(3)
    ]
    for process in processes:
        process.start()
    pids = {answers.get(timeout=60) for _ in processes}
    for process in processes:
        process.join(60)
    assert len(pids) == 1
    assert pids < {process.pid for process in processes}


def _die_with_the_lease(key: str, has_it: Any) -> None:
    assert take_lease(store, key, lease_s=0.5) is not None
    has_it.set()
    time.sleep(60)


@pytest.mark.parametrize("wait_s", [0.1, 30.0])
def test_who_dies_with_the_lease_holds_nobody_up(wait_s: float) -> None:
    context = multiprocessing.get_context("fork")
    cache, parts = int_cache(wait_s=wait_s), fresh_parts()
    has_it = context.Event()
    holder = context.Process(
        target=_die_with_the_lease, args=(f"{cache.key((*parts, ''))}:lease", has_it)
    )
    holder.start()
    assert has_it.wait(30)
    assert holder.pid is not None
    os.kill(holder.pid, signal.SIGKILL)
    holder.join(30)
    assert cache.get_or_compute(parts, Counted()) == 1


def test_a_lease_is_given_back_by_its_holder_only() -> None:
    key = f"test:{fresh_parts()[0]}"
    mine = take_lease(store, key, lease_s=60.0)
    assert mine is not None
    assert take_lease(store, key, lease_s=60.0) is None
    store.run(lambda redis: redis.delete(key))
    theirs = take_lease(store, key, lease_s=60.0)
    assert theirs is not None
    mine.release(store)
    assert take_lease(store, key, lease_s=60.0) is None
    theirs.release(store)
    assert take_lease(store, key, lease_s=60.0) is not None
