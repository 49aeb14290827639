from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.test import Client

from riskplatform.api.keys.models import Scope
from scoring.api.features import FeatureSnapshotAnswer
from tests.scoring.features.readers import ARRIVED, get_snapshot, make_reader
from tests.support.factories import DAY_S, make_client, make_organisation, make_region
from tests.support.random_events import START, store_random_events

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]


def answer(response: Any) -> FeatureSnapshotAnswer:
    assert response.status_code == 200
    return msgspec.json.decode(response.content, type=FeatureSnapshotAnswer)


def test_describes_every_cell_from_the_start_of_the_record() -> None:
    store_random_events(make_region())
    snapshot = answer(get_snapshot(make_reader(), horizon_sec=DAY_S))
    assert (snapshot.region, snapshot.horizon_sec) == ("chicago", DAY_S)
    assert snapshot.time == snapshot.known_at == ARRIVED
    assert len(snapshot.features) == 37
    assert {row.window_end for row in snapshot.features} == {ARRIVED}
    (start,) = {row.window_start for row in snapshot.features}
    assert START <= start < START + timedelta(days=3)


def test_what_had_not_arrived_is_unknown() -> None:
    store_random_events(make_region())
    client, early = make_reader(), (ARRIVED - timedelta(days=10)).isoformat()
    then = answer(get_snapshot(client, time=early))
    now = answer(get_snapshot(client, time=early, known_at=ARRIVED.isoformat()))
    name = "log_count_28d"
    assert {row.feature_vector[name] for row in then.features} == {0.0}
    assert sum(row.feature_vector[name] or 0 for row in now.features) > 1


def test_a_region_without_events_has_features_too() -> None:
    make_region()
    snapshot = answer(get_snapshot(make_reader()))
    assert {row.window_start for row in snapshot.features} == {ARRIVED}
    assert all(row.feature_vector["log_count_7d"] == 0 for row in snapshot.features)


def test_answers_304_to_whoever_has_it_already() -> None:
    store_random_events(make_region())
    client = make_reader()
    etag = get_snapshot(client).headers["ETag"]
    query = {"region": "chicago", "time": ARRIVED.isoformat()}
    again = client.get(
        "/api/v1/features/snapshot", query, headers={"If-None-Match": etag}
    )
    assert again.status_code == 304


@pytest.mark.parametrize("rings", [1, 5])
def test_costs_the_same_queries_for_any_number_of_cells(
    rings: int, django_assert_num_queries: Any
) -> None:
    store_random_events(make_region(rings=rings))
    client = make_reader()
    # The key, a note of its use, the region, its cells and its champion.
    with django_assert_num_queries(5):
        assert get_snapshot(client).status_code == 200


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"time": "2024-01-01T00:00:00"}, "/time"),
        ({"time": "yesterday"}, "/time"),
        ({"time": "0001-01-01T00:00:00+14:00"}, "/time"),
        ({"time": "9999-12-31T23:59:59-12:00"}, "/time"),
        ({"known_at": "1850-01-01T00:00:00Z"}, "/known_at"),
        ({"horizon_sec": "0"}, "/horizon_sec"),
        ({"horizon_sec": str(10**30)}, "/horizon_sec"),
        ({"horizon_sec": "nan"}, "/horizon_sec"),
        ({"region": "no region"}, "/region"),
        ({"region": "chi\0cago"}, "/region"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_refuses_nonsense_with_a_pointer(changes: dict[str, str], pointer: str) -> None:
    make_region()
    response = get_snapshot(make_reader(), **changes)
    assert response.status_code == 422
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["errors"][0]["pointer"] == pointer


def test_needs_a_key_that_may_read_scores(stranger: Client) -> None:
    make_region()
    writer = make_client(make_organisation(), scopes=[Scope.EVENTS_WRITE])
    assert get_snapshot(stranger).status_code == 401
    assert get_snapshot(writer).status_code == 403
    assert get_snapshot(make_reader(), region="nowhere").status_code == 404
