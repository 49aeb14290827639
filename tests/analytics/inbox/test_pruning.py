"""What was pruned from the inbox comes again, and nothing happens twice."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import orjson
import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from analytics.inbox.pruning import PruningReport, prune_inbox
from analytics.inbox.versions import digest_of
from analytics.models import (
    InboxEvent,
    IngestBatch,
    ParkedEvent,
    RefusedEvent,
    SettledEvent,
)
from analytics.shipping.shipper import ShippingReport
from analytics.tasks import prune_next_batch
from tests.support.event_payloads import Json, make_event, make_events, stored
from tests.support.one_region import Post

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("empty_store"),
    pytest.mark.databases,
]
Ship = Callable[[], ShippingReport]
RETRACTION = {"external_id": "e1", "retracted": True}


def prune() -> PruningReport:
    """Prune as if the retention of all that was shipped were over."""
    return prune_inbox(shipped_before=timezone.now() + timedelta(hours=1))


def counts(post: Post, rows: list[Json]) -> tuple[int, int, int]:
    answer = orjson.loads(post(rows).content)
    return answer["accepted"], answer["duplicates"], answer["rejected_count"]


def test_what_comes_again_is_a_repetition(post: Post, ship: Ship) -> None:
    post(make_events(30))
    ship()

    assert prune() == PruningReport(batch_count=1, event_count=30)

    assert not InboxEvent.objects.exists()
    assert SettledEvent.objects.count() == 30
    assert counts(post, make_events(30)) == (0, 30, 0)
    assert prune().event_count == 0


def test_a_correction_withdraws_what_stood_elsewhere(post: Post, ship: Ship) -> None:
    post([make_event(1)])
    ship()
    prune()

    assert counts(post, [make_event(1, lat=41.9)]) == (1, 0, 0)

    ship()
    assert stored("external_id, lat_e7 / 1e7") == [("e1", 41.9)]
    prune()
    assert counts(post, [make_event(1)]) == (0, 1, 0)
    ship()
    assert stored("external_id, lat_e7 / 1e7") == [("e1", 41.9)]


def test_a_retraction_withdraws_and_stays_final(post: Post, ship: Ship) -> None:
    post(make_events(3))
    ship()
    prune()

    assert counts(post, [RETRACTION]) == (1, 0, 0)

    ship()
    assert stored() == [("e0",), ("e2",)]
    prune()
    assert counts(post, [RETRACTION]) == (0, 1, 0)
    assert counts(post, [make_event(1, severity=9)]) == (0, 0, 1)


def test_what_waits_or_is_parked_or_is_young_stays(post: Post, ship: Ship) -> None:
    post(make_events(2))
    ship()
    ParkedEvent.objects.create(event=InboxEvent.objects.all()[0], reason="odd")
    post(make_events(2, first=10))

    assert prune() == PruningReport()

    ParkedEvent.objects.all().delete()
    assert (
        prune_inbox(shipped_before=timezone.now() - timedelta(days=1)).batch_count == 0
    )
    assert prune().event_count == 2
    assert InboxEvent.objects.count() == 2


def test_the_counts_of_a_batch_stay_and_its_rows_say_so(
    post: Post, ship: Ship, key: str
) -> None:
    sent = post([make_event(0), make_event(1, lat=99)])
    batch_id = orjson.loads(sent.content)["batch_id"]
    ship()

    assert prune() == PruningReport(batch_count=1, event_count=1, refused_count=1)

    url = f"/api/v1/events/batches/{batch_id}"
    told = orjson.loads(Client().get(url, headers={"X-API-Key": key}).content)
    assert [row["outcome"] for row in told["results"]] == ["pruned", "pruned"]
    assert (told["accepted"], told["stored"], told["rejected"]) == (1, 1, 1)
    assert not RefusedEvent.objects.exists()


def test_the_command_counts_first_and_prunes_then(post: Post, ship: Ship) -> None:
    post(make_events(5))
    ship()
    IngestBatch.objects.update(received_at=timezone.now() - timedelta(days=1))
    said = StringIO()

    call_command("prune_inbox", older_than=0, dry_run=True, stdout=said)
    assert InboxEvent.objects.count() == 5
    call_command("prune_inbox", older_than=0, stdout=said)
    call_command("prune_inbox", stdout=said)

    assert said.getvalue().splitlines() == [
        "5 events of 1 batches would be pruned.",
        "5 events and 0 refused rows of 1 batches pruned.",
        "0 events and 0 refused rows of 0 batches pruned.",
    ]


numbers = st.sampled_from([0.0, -0.0, 1.0, 1.5])
values = st.tuples(
    st.integers(0, 2), numbers, numbers, st.sampled_from(["", "a", "ab"]),
    *(st.none() | numbers,) * 2, st.sampled_from(["", "a", "b"]),
)  # fmt: skip


@given(values, values)
def test_facts_are_equal_where_their_digests_are(
    one: tuple[int, float, float, str, float | None, float | None, str],
    other: tuple[int, float, float, str, float | None, float | None, str],
) -> None:
    assert (one == other) == (digest_of(one) == digest_of(other))


def test_the_worker_prunes_one_batch_after_the_other(
    post: Post, ship: Ship, settings: Any
) -> None:
    settings.INGEST_INBOX_RETENTION_DAYS = 0
    for number in range(2):
        post([make_event(number)])
    ship()

    assert [prune_next_batch() for _ in range(3)] == [True, True, False]
