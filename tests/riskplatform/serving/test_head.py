"""HEAD is answered with the headers of GET, and without a body."""

import pytest

from tests.support.webs import Platform

OF_ONE_ANSWER = {"date", "x-request-id", "x-cache", "age"}
pytestmark = pytest.mark.slow


def test_head_has_the_headers_of_get(platform: Platform) -> None:
    key = platform.keys("acme")[0]
    with platform.webs() as (web,):
        web.wait_live()
        for path in (
            "risk-map?region=chicago&horizon_sec=86400",
            "risk-map?region=chicago&horizon_sec=86400&format=csv",
            "portfolios",
        ):
            asked = [web.ask(method, path, key=key) for method in ("GET", "HEAD")]
            got, headed = (
                {n: v for n, v in reply.headers.items() if n not in OF_ONE_ANSWER}
                for reply in asked
            )
            assert headed == got, path
            assert asked[1].status == asked[0].status
            assert asked[1].body == b""
            assert int(got["content-length"]) == len(asked[0].body) > 0
