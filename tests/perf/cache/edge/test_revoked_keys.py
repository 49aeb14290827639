"""A key that was revoked gets nothing kept, in any process, a second later."""

import time

import pytest

from tests.support.webs import Platform, Web

PROMISE_S = 1.0


@pytest.mark.slow
def test_a_revoked_key_is_turned_away_everywhere(
    platform: Platform, two_webs: list[Web]
) -> None:
    key = platform.new_key("acme")
    path = "metrics?region=chicago&limit=24"
    for web in two_webs:
        replies = [web.ask("GET", path, key=key) for _ in range(3)]
        assert replies[-1].came_from == "l1"
    platform.revoke(key)
    revoked_s = time.monotonic()
    for web in two_webs:
        while web.ask("GET", path, key=key).status == 200:
            assert time.monotonic() - revoked_s < PROMISE_S
        assert web.ask("GET", path, key=key).status == 401
