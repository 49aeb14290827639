"""Redis killed, hung and back: every request is answered, from the views meanwhile."""

import os
import signal
from collections import Counter
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest

from riskplatform.embedded.valkey import ValkeyServer
from tests.support.waiting import wait_until
from tests.support.webs import Platform, Reply, Web, ask

CLIENTS = 4
MAX_REQUESTS = 20_000
WITHIN_S = 20.0
MAP = "risk-map?region=chicago&horizon_sec=86400"

Outcomes = Counter[tuple[int, str]]


@contextmanager
def asking(web: Web, platform: Platform) -> Generator[Outcomes]:
    """Ask without pause on some connections; the counts grow meanwhile."""
    stop, outcomes = Event(), Outcomes()
    portfolio, key = platform.portfolios("acme")[0], platform.keys("acme")[0]
    question = {"horizon_sec": 86_400, "region": "chicago"}

    def one_client() -> None:
        connection = web.connect()
        try:
            for _ in range(MAX_REQUESTS):
                if stop.is_set():
                    return
                count(
                    ask(connection, "GET", "risk-map?region=chicago&horizon_sec=86400")
                )
                count(ask(connection, "POST", f"assess/{portfolio}", question, key=key))
        finally:
            connection.close()

    def count(reply: Reply) -> None:
        outcomes[reply.status, reply.came_from] += 1

    with ThreadPoolExecutor(CLIENTS) as threads:
        clients: list[Future[None]] = [
            threads.submit(one_client) for _ in range(CLIENTS)
        ]
        try:
            yield outcomes
        finally:
            stop.set()
            for client in clients:
                client.result()


def wait_for(outcomes: Outcomes, came_from: str, *, more: int = 50) -> None:
    """Wait until so many further answers came from there."""
    goal = outcomes[200, came_from] + more
    wait_until(lambda: outcomes[200, came_from] >= goal, within_s=WITHIN_S)


@pytest.mark.slow
@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSTOP])
def test_no_request_fails_and_what_is_kept_rests(
    platform: Platform, valkey: ValkeyServer, fault: signal.Signals
) -> None:
    with platform.webs(REDIS_URL=valkey.url, REDIS_TIMEOUT_MS="50") as (web,):
        web.wait_live()
        with asking(web, platform) as outcomes:
            wait_for(outcomes, "l1")
            os.kill(valkey.pid or 0, fault)
            wait_for(outcomes, "bypass")
            kept_before = outcomes[200, "l1"]
            wait_for(outcomes, "bypass")
            # Level 1 is off as long as nothing can be heard.
            assert outcomes[200, "l1"] == kept_before
            if fault == signal.SIGKILL:
                valkey.start_and_wait()
            else:
                os.kill(valkey.pid or 0, signal.SIGCONT)
            wait_for(outcomes, "l1")
    assert {status for status, _ in outcomes} == {200}
