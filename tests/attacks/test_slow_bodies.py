"""Bodies that do not come hold up nobody but who sends them."""

import json
import uuid
from collections.abc import Mapping
from contextlib import closing

import pytest

from tests.attacks.ordinary_requests import (
    assert_all_are_answered,
    assert_the_address_is_answered,
)
from tests.attacks.slow_clients import slow_clients
from tests.support.waiting import wait_until
from tests.support.webs import Platform, Web

SLOW = 200
FROM_ANOTHER_ADDRESS = "127.0.0.2"
SCORE = "POST /api/v1/score-snapshot HTTP/1.1\r\nHost: localhost\r\n"
BODIES: Mapping[str, tuple[str, bytes]] = {
    "nothing": ("Content-Length: 300\r\n\r\n", b""),
    "a byte now and then": ("Content-Length: 300\r\n\r\n{", b" "),
    "chunks": ("Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", b"1\r\n \r\n"),
    "large": ("Content-Length: 2000000\r\n\r\n{", b" "),
}


@pytest.mark.parametrize("kind", BODIES)
def test_200_slow_bodies_leave_others_served_and_are_ended(
    kind: str, web: Web, platform: Platform
) -> None:
    begin, drip = body(kind)
    with slow_clients(
        web.port, count=SLOW, begin=begin, drip=drip, address=FROM_ANOTHER_ADDRESS
    ) as clients:
        assert_all_are_answered(web, platform, rounds=4)
        wait_until(lambda: clients.n_open == 0, within_s=60, what="all ended")


def test_200_slow_bodies_leave_even_their_own_address_served(
    web: Web, platform: Platform
) -> None:
    begin, drip = body("a byte now and then")
    with slow_clients(web.port, count=SLOW, begin=begin, drip=drip):
        assert_the_address_is_answered(web, platform, rounds=4)


def test_16_slow_posts_of_one_key_leave_others_served(
    web: Web, platform: Platform
) -> None:
    mine, other = platform.keys("acme")[0], platform.keys("other")[0]
    begin = (
        f"POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {mine}\r\nContent-Type: application/json\r\n"
        "Content-Length: 3000000\r\n\r\n["
    ).encode()
    with slow_clients(
        web.port, count=16, begin=begin, drip=b" ", address=FROM_ANOTHER_ADDRESS
    ):
        assert_all_are_answered(web, platform, rounds=3)
        assert send_event(web, other) == {"accepted": 1}


def test_a_slow_body_is_told_so_in_time(web: Web) -> None:
    with closing(web.connect()) as connection:
        connection.putrequest("POST", "/api/v1/score-snapshot")
        connection.putheader("Host", "localhost")
        connection.putheader("Content-Length", "300")
        connection.putheader("X-Request-ID", "slow-1")
        connection.endheaders(b"{")
        response = connection.getresponse()
        problem = json.loads(response.read())
    assert (response.status, problem["code"]) == (408, "slow_body")
    assert response.headers["X-Request-ID"] == problem["request_id"] == "slow-1"
    assert response.will_close


def body(kind: str) -> tuple[bytes, bytes]:
    headers, drip = BODIES[kind]
    return (SCORE + headers).encode(), drip


def send_event(web: Web, key: str) -> dict[str, int]:
    headers = {
        "Host": "localhost",
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/json",
    }
    with closing(web.connect()) as connection:
        connection.request("POST", "/api/v1/events", json.dumps([event()]), headers)
        said = json.loads(connection.getresponse().read())
    return {"accepted": said["accepted"]}


def event() -> dict[str, object]:
    return {
        "external_id": uuid.uuid4().hex,
        "occurred_at": "2024-01-01T00:00:00Z",
        "lat": 41.85,
        "lon": -87.68,
    }
