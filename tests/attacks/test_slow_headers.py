"""Connections that ask nothing take no place from those that do."""

import pytest

from riskplatform.serving.connection_limit import USUAL_LIMIT
from tests.attacks.ordinary_requests import (
    assert_all_are_answered,
    assert_the_address_is_answered,
)
from tests.attacks.slow_clients import slow_clients
from tests.support.waiting import wait_until
from tests.support.webs import Platform, Web

HALF_A_HEADER = b"GET /api/v1/regions HTTP/1.1\r\nHost: localhost\r\nX-A"
FROM_ANOTHER_ADDRESS = "127.0.0.2"


@pytest.mark.parametrize(
    ("begin", "drip"),
    [
        pytest.param(b"", b"", id="idle"),
        pytest.param(b"PRI * HT", b"", id="a beginning of HTTP/2"),
        pytest.param(HALF_A_HEADER, b"a", id="half-sent headers"),
    ],
)
def test_1100_connections_of_one_address_leave_others_served(
    begin: bytes, drip: bytes, web: Web, platform: Platform
) -> None:
    with slow_clients(
        web.port, count=1_100, begin=begin, drip=drip, address=FROM_ANOTHER_ADDRESS
    ) as clients:
        assert_all_are_answered(web, platform, rounds=3)
        wait_until(
            lambda: clients.n_open <= USUAL_LIMIT, within_s=20, what="surplus ended"
        )
        wait_until(lambda: clients.n_open == 0, within_s=60, what="all ended")


def test_200_half_sent_headers_leave_even_the_same_address_served(
    web: Web, platform: Platform
) -> None:
    with slow_clients(web.port, count=200, begin=HALF_A_HEADER, drip=b"a"):
        assert_the_address_is_answered(web, platform, rounds=3)
