"""A shipper that dies at any step leaves nothing lost and nothing doubled."""

import time
from collections.abc import Callable

import pytest

from analytics.models import Shipment
from analytics.shipping.shipper import ShippingReport
from tests.support.event_payloads import make_events, physical_row_count, stored
from tests.support.one_region import Post
from tests.support.processes import start_python

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"], transaction=True),
    pytest.mark.usefixtures("empty_store"),
    pytest.mark.databases,
]
Ship = Callable[[], ShippingReport]
KILLED = 137
TIMEOUT_S = 30.0
DIE = """
import os, sys
from datetime import timedelta
from analytics.models import Shipment
from analytics.models.shipment import ShipmentQuerySet
from analytics.shipping import delivery, shipper
Shipment.lease = timedelta(seconds=1)
step = sys.argv[1]
if step == "halfway":
    insert = delivery.insert_once
    def refuse_the_whole(columns, token):
        if "/" not in token:
            raise delivery.RowFaultError("all of it")
        if token.endswith("/1"):
            os._exit(137)
        insert(columns, token)
    shipper.insert_once = refuse_the_whole
elif step == "claim":
    ShipmentQuerySet.claim = lambda *_, **__: os._exit(137)
else:
    setattr(shipper, step, lambda *_, **__: os._exit(137))
shipper.ship_due()
"""


@pytest.mark.parametrize(
    ("step", "row_count_then"),
    [
        ("claim", 0),
        ("_attempt", 0),
        ("deliver", 0),
        ("halfway", 20),
        ("_acknowledge", 40),
    ],
)
def test_the_next_one_finishes_what_was_begun(
    post: Post, ship: Ship, step: str, row_count_then: int
) -> None:
    post(make_events(40))

    assert start_python(DIE, step).wait(60) == KILLED
    assert Shipment.objects.waiting().count() == 1
    assert physical_row_count() == row_count_then

    deadline_s = time.monotonic() + TIMEOUT_S
    while Shipment.objects.waiting().exists():
        assert time.monotonic() < deadline_s
        ship()
        time.sleep(0.05)
    assert len(stored()) == len(set(stored())) == 40
    assert Shipment.objects.get().state == "shipped"
