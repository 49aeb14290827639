"""One request takes neither gigabytes nor minutes, whatever it asks at its most."""

from collections.abc import Callable

import pytest

from tests.attacks.measuring import Idle, cost_of
from tests.attacks.product_requests import ATTACKS, Attack
from tests.support.webs import Platform

MOST_BYTES = 256 << 20


@pytest.mark.slow
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_a_request_at_its_maximum_stays_within_its_bounds(
    attack: Attack, full_platform: Platform, web_of_area: Callable[[str], Idle]
) -> None:
    path = attack.path.format(portfolio=full_platform.seeds["portfolios"][0])
    headers = {"Content-Type": "application/json", **attack.headers}
    if attack.key:
        headers["Authorization"] = f"Bearer {full_platform.seeds['key']}"
    if attack.asked_s is not None:
        headers["X-Request-Timeout"] = str(attack.asked_s)
    body = None if attack.body is None else attack.body(full_platform)

    cost = cost_of(web_of_area(attack.area), attack.method, path, body, headers=headers)

    assert cost.status in attack.statuses, cost.head
    assert cost.peak_bytes < MOST_BYTES, f"{cost.peak_mb} MB above idle"
    assert cost.seconds < attack.most_s
