"""What people and programs ask meanwhile, and whether they are answered soon."""

import time
from collections.abc import Callable, Mapping
from contextlib import closing

from tests.support.waiting import wait_until
from tests.support.webs import Platform, Web

# A busy machine needs some of it; without care the wait is long, or for ever.
SOON_S = 5.0
MAP = "risk-map?region=chicago&horizon_sec=86400"


def assert_all_are_answered(web: Web, platform: Platform, *, rounds: int) -> None:
    """Ask for probes, a cached response, a read, and an assessment with a body."""
    asks = {**_without_body(web), "assess": lambda: assess(web, platform)}
    _assert_answered(asks, rounds=rounds)


def assert_the_address_is_answered(
    web: Web, platform: Platform, *, rounds: int
) -> None:
    """The same of the attacker's address, whose bodies may have to be sent again."""
    _assert_answered(_without_body(web), rounds=rounds)
    wait_until(lambda: assess(web, platform) == 200, within_s=10, what="a body taken")


def assess(web: Web, platform: Platform) -> int:
    body = {"region": "chicago", "horizon_sec": 86400}
    path = f"assess/{platform.portfolios('acme')[0]}"
    return web.ask("POST", path, body, key=platform.keys("acme")[0]).status


def probe(web: Web, name: str) -> int:
    with closing(web.connect()) as connection:
        connection.request("GET", f"/health/{name}", headers={"Host": "localhost"})
        return connection.getresponse().status


def _without_body(web: Web) -> Mapping[str, Callable[[], int]]:
    return {
        "live": lambda: probe(web, "live"),
        "ready": lambda: probe(web, "ready"),
        "map": lambda: web.ask("GET", MAP).status,
        "regions": lambda: web.ask("GET", "regions").status,
    }


def _assert_answered(asks: Mapping[str, Callable[[], int]], *, rounds: int) -> None:
    for _ in range(rounds):
        for name, ask in asks.items():
            started_s = time.monotonic()
            assert ask() == 200, f"{name} was not answered"
            took_s = time.monotonic() - started_s
            assert took_s < SOON_S, f"{name} took {took_s:.1f} s"
