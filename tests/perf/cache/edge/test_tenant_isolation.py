"""One tenant never gets what another's request has computed, however they race."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.webs import Platform, Reply, Web, ask

REQUESTS = 10_000
CLIENTS = 8


def requests_of_one(
    web: Web, keys: dict[str, str], path: str, *, count: int, seed: int
) -> list[tuple[str, Reply]]:
    """Send the same request again and again, each with a key drawn at random."""
    draw = random.Random(seed)  # noqa: S311 - a test repeats itself
    connection = web.connect()
    replies = []
    try:
        for _ in range(count // CLIENTS):
            owner = draw.choice(sorted(keys))
            replies.append((owner, ask(connection, "GET", path, key=keys[owner])))
    finally:
        connection.close()
    return replies


def ask_all(
    webs: list[Web], keys: dict[str, str], path: str, *, count: int = REQUESTS
) -> list[tuple[str, Reply]]:
    with ThreadPoolExecutor(CLIENTS) as clients:
        parts = [
            clients.submit(
                requests_of_one,
                webs[number % len(webs)],
                keys,
                path,
                count=count,
                seed=number,
            )
            for number in range(CLIENTS)
        ]
        return [pair for part in parts for pair in part.result()]


@pytest.mark.slow
def test_two_keys_on_one_address_never_cross(platform: Platform) -> None:
    keys = {owner: platform.keys(owner)[0] for owner in ("acme", "other")}
    mine = platform.portfolios("acme")[0]
    with platform.webs(2) as webs:
        for web in webs:
            web.wait_live()
        replies = ask_all(webs, keys, f"dashboard/{mine}?timeframe=24h")
    assert len(replies) == REQUESTS
    # What belongs to one organisation does not exist for the other.
    assert {(owner, reply.status) for owner, reply in replies} == {
        ("acme", 200),
        ("other", 404),
    }
    kept = [reply.came_from for owner, reply in replies if owner == "acme"]
    assert kept.count("l1") > REQUESTS // 4


@pytest.mark.slow
def test_a_key_of_fewer_rights_gets_nothing_of_a_larger_one(platform: Platform) -> None:
    key = platform.keys("acme")[0]
    with platform.webs() as (web,):
        web.wait_live()
        hidden = "risk-map?region=hidden&horizon_sec=86400"
        metrics = "metrics?region=chicago&limit=24"
        for path in (hidden, metrics):
            replies = [web.ask("GET", path, key=key) for _ in range(2)]
            assert [reply.status for reply in replies] == [200, 200]
        assert web.ask("GET", hidden).status == 404
        assert web.ask("GET", metrics).status == 401
        assert web.ask("GET", metrics, key=f"{key[:-1]}!").status == 401


@pytest.mark.slow
def test_private_maps_never_cross(platform: Platform) -> None:
    keys = {owner: platform.keys(owner)[0] for owner in ("acme", "other")}
    owner_of = {"hidden": "acme", "theirs": "other"}
    with platform.webs(2) as webs:
        for web in webs:
            web.wait_live()
        for region, owner in owner_of.items():
            path = f"risk-map?region={region}&horizon_sec=86400"
            replies = ask_all(webs, keys, path, count=REQUESTS // 2)
            assert {(who, reply.status) for who, reply in replies} == {
                (who, 200 if who == owner else 404) for who in keys
            }
            kept = [reply.came_from for who, reply in replies if who == owner]
            assert kept.count("l1") > REQUESTS // 8
            assert webs[0].ask("GET", path).status == 404
