"""500 clients of two web processes ask for one answer that neither has in memory."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tests.support.webs import Platform, Reply, Web, ask

CLIENTS = 500
THREADS_STACK = 256 << 10


def ask_together(webs: list[Web], path: str) -> list[Reply]:
    """Open all connections first, then ask on all of them at once."""
    start = Barrier(CLIENTS)

    def client(number: int) -> Reply:
        connection = webs[number % len(webs)].connect()
        try:
            connection.connect()
            start.wait(60.0)
            return ask(connection, "GET", path)
        finally:
            connection.close()

    with ThreadPoolExecutor(CLIENTS) as clients:
        return list(clients.map(client, range(CLIENTS)))


@pytest.mark.slow
def test_one_computes_for_all_of_them(platform: Platform) -> None:
    path = "risk-map?region=chicago&horizon_sec=86400&min_p=0.000001"
    # Without room in their memory, both know the request and have no response to it.
    with platform.webs(2, EDGE_LOCAL_BYTES="1") as webs:
        for web in webs:
            web.wait_live()
        before = {web.ask("GET", path).body for web in webs}
        replies = ask_together(webs, path)
    assert {reply.status for reply in replies} == {200}
    assert {reply.body for reply in replies} == before
    found = Counter(reply.came_from for reply in replies)
    assert found["miss"] == 1
    assert found["bypass"] == 0


@pytest.mark.slow
def test_one_of_each_process_computes_what_is_new(two_webs: list[Web]) -> None:
    path = "risk-map?region=chicago&horizon_sec=86400&min_p=0.000002"
    replies = ask_together(two_webs, path)
    assert {reply.status for reply in replies} == {200}
    assert len({reply.body for reply in replies}) == 1
    found = Counter(reply.came_from for reply in replies)
    assert 1 <= found["miss"] <= len(two_webs)
    assert found["bypass"] == 0
