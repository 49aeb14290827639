"""The same body again and again, from two processes at once, ends like once."""

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from analytics.models import EventSource, InboxEvent, IngestBatch
from analytics.shipping.shipper import ShippingReport
from riskplatform.api.keys.models import Organisation
from tests.support.event_payloads import make_event, make_events, stored
from tests.support.processes import start_python

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"], transaction=True),
    pytest.mark.usefixtures("empty_store"),
    pytest.mark.databases,
]
Ship = Callable[[], ShippingReport]
EVENT_COUNT = 3_000
POST_THRICE = """
import sys
from pathlib import Path
from analytics.inbox.validation import PostDefaults
from analytics.inbox.receiving import BodyForm, receive_events
from analytics.placement import register_directory
from riskplatform.api.keys.models import Organisation
from tests.support.one_region import OneRegion
register_directory(OneRegion())
for _ in range(3):
    receive_events(
        [Path(sys.argv[1]).read_bytes()],
        form=BodyForm(content_type="application/x-ndjson"),
        organisation=Organisation.objects.get(),
        defaults=PostDefaults(source="file"),
    )
"""


@pytest.mark.usefixtures("acme")
def test_three_times_from_two_processes_at_once_is_once(
    tmp_path: Path, ship: Ship
) -> None:
    corrected = make_event(0, severity=7.0)
    retracted = {"external_id": "e1", "retracted": True}
    rows = [*make_events(EVENT_COUNT), corrected, retracted]
    file = tmp_path / "events.ndjson"
    file.write_bytes(b"\n".join(orjson.dumps(row) for row in rows))

    posts = [start_python(POST_THRICE, str(file)) for _ in range(2)]

    assert [post.wait(timeout=90) for post in posts] == [0, 0]
    assert Organisation.objects.get().event_sources.get() == EventSource.objects.get()
    assert InboxEvent.objects.count() == EVENT_COUNT + 2
    counted = IngestBatch.objects.values_list("row_count", flat=True)
    assert sum(counted) == 6 * len(rows)
    ship()
    left = sorted(f"e{number}" for number in range(EVENT_COUNT) if number != 1)
    assert [row[0] for row in stored()] == left
    assert stored("external_id, severity")[0] == ("e0", 7.0)
