import multiprocessing
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from perf.cache.change_feed import feed
from perf.cache.store import Claim
from perf.metrics import CacheOutcome
from perf.shared_store import store
from tests.perf.cache.keeping import Counted, IntCache, count_of, fresh_parts
from tests.support.waiting import wait_until

CLIENTS = 50


def test_many_threads_compute_once() -> None:
    begun, go_on = Event(), Event()

    def meanwhile() -> None:
        begun.set()
        assert go_on.wait(10)

    cache, parts = IntCache(), fresh_parts()
    compute = Counted(meanwhile=meanwhile)
    with ThreadPoolExecutor(CLIENTS) as threads:
        futures = [
            threads.submit(cache.get_or_compute, parts, compute) for _ in range(CLIENTS)
        ]
        assert begun.wait(10)
        calls = cache.cache._single_flight._calls
        wait_until(lambda: calls[cache.cache.key(parts)].waiters == CLIENTS - 1)
        go_on.set()
    assert [future.result() for future in futures] == [1] * CLIENTS
    assert compute.calls == 1
    assert count_of(cache, CacheOutcome.JOINED) == CLIENTS - 1


def test_an_expiry_under_load_costs_one_computation() -> None:
    parts, compute, cache = fresh_parts(), Counted(), IntCache()
    for expiry in range(4):
        with ThreadPoolExecutor(CLIENTS) as threads:
            list(
                threads.map(
                    lambda _: cache.get_or_compute(parts, compute), range(CLIENTS)
                )
            )
        assert cache.get_or_compute(parts, compute) == expiry + 1
        assert compute.calls == expiry + 1
        store.run(lambda redis: redis.pexpire(cache.entry_key(parts), 1))
        wait_until(lambda: not store.run(lambda r: r.exists(cache.entry_key(parts))))


def _ask_from_outside(cache: IntCache, parts: Any, answers: Any, start: Any) -> None:
    def slow() -> int:
        time.sleep(0.3)
        return os.getpid()

    start.wait()
    answers.put(cache.get_or_compute(parts, slow))


def test_several_processes_compute_once() -> None:
    context = multiprocessing.get_context("fork")
    cache = IntCache(wait_s=30.0)
    parts, answers, start = fresh_parts(), context.Queue(), context.Barrier(3)
    processes = [
        context.Process(target=_ask_from_outside, args=(cache, parts, answers, start))
        for _ in range(3)
    ]
    for process in processes:
        process.start()
    pids = {answers.get(timeout=60) for _ in processes}
    for process in processes:
        process.join(60)
    assert len(pids) == 1
    assert pids < {process.pid for process in processes}


def _die_with_the_claim(key: str, has_it: Any) -> None:
    assert isinstance(feed.shared.find_or_claim(key, lease_s=0.5), Claim)
    has_it.set()
    time.sleep(60)


@pytest.mark.parametrize("wait_s", [0.1, 30.0])
def test_who_dies_with_the_claim_holds_nobody_up(wait_s: float) -> None:
    context = multiprocessing.get_context("fork")
    cache, parts = IntCache(wait_s=wait_s), fresh_parts()
    has_it = context.Event()
    holder = context.Process(
        target=_die_with_the_claim, args=(cache.cache.key(parts), has_it)
    )
    holder.start()
    assert has_it.wait(30)
    assert holder.pid is not None
    os.kill(holder.pid, signal.SIGKILL)
    holder.join(30)
    assert cache.get_or_compute(parts, Counted()) == 1


def test_a_claim_is_given_back_by_its_holder_only() -> None:
    key = f"test:{fresh_parts()[0]}"
    mine = feed.shared.claim(key, lease_s=0.05)
    assert mine is not None
    assert feed.shared.claim(key, lease_s=60.0) is None
    time.sleep(0.1)
    theirs = feed.shared.claim(key, lease_s=60.0)
    assert theirs is not None
    feed.shared.release(mine)
    assert feed.shared.claim(key, lease_s=60.0) is None
    feed.shared.release(theirs)
    assert feed.shared.claim(key, lease_s=60.0) is not None
