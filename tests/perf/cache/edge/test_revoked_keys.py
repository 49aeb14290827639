"""A key that was revoked gets nothing kept, in any process, a second later."""

import time

import pytest

from tests.support.webs import Platform

PROMISE_S = 1.0


@pytest.mark.slow
def test_a_revoked_key_is_turned_away_everywhere(platform: Platform) -> None:
    key = platform.new_key("acme")
    path = "metrics?region=chicago&limit=24"
    with platform.webs(2) as webs:
        for web in webs:
            web.wait_live()
            replies = [web.ask("GET", path, key=key) for _ in range(3)]
            assert replies[-1].came_from == "l1"
        platform.revoke(key)
        revoked_s = time.monotonic()
        for web in webs:
            while web.ask("GET", path, key=key).status == 200:
                assert time.monotonic() - revoked_s < PROMISE_S
            assert web.ask("GET", path, key=key).status == 401
