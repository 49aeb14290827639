"""How old an answer may be: never in the process that wrote, one second in others."""

import time

import pytest

from tests.support.webs import Platform, Web

PROMISE_S = 1.0
ROUNDS = 20


def asset_count(web: Web, portfolio: str, key: str) -> tuple[int, str]:
    reply = web.ask("GET", f"dashboard/{portfolio}?timeframe=24h", key=key)
    assert reply.status == 200
    count: int = reply.json()["metrics"]["data"]["asset_count"]
    return count, reply.came_from


def add_asset(web: Web, portfolio: str, key: str, number: int) -> None:
    asset = {"reference": f"new-{number}", "lat": 41.85, "lon": -87.68, "value": "1.00"}
    reply = web.ask("POST", f"portfolios/{portfolio}/assets", asset, key=key)
    assert reply.status == 201, reply.body


@pytest.mark.slow
def test_no_answer_is_older_than_promised(platform: Platform) -> None:
    key, portfolio = platform.keys("acme")[0], platform.portfolios("acme")[0]
    with platform.webs(2) as (writer, reader):
        came_from, delays_s = set(), []
        for number in range(ROUNDS):
            before = max(
                asset_count(web, portfolio, key)[0] for web in (writer, reader)
            )
            came_from.add(asset_count(reader, portfolio, key)[1])
            add_asset(writer, portfolio, key, number)
            written_s = time.monotonic()
            assert asset_count(writer, portfolio, key)[0] == before + 1
            asked_s = time.monotonic()
            while asset_count(reader, portfolio, key)[0] == before:
                asked_s = time.monotonic()
                assert asked_s - written_s < PROMISE_S
            delays_s.append(asked_s - written_s)
        # The test proves something only where answers were kept at all.
        assert "l1" in came_from
