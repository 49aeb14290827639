"""GET /events: pages, filters, tenants, and a constant cost."""

from dataclasses import replace
from typing import Any

import h3.api.basic_int as h3
import orjson
import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from analytics.reads import event_lists
from riskplatform.api.keys.models import Organisation
from riskplatform.api.keys.services import issue_key
from tests.analytics.api.reading import JANUARY, Ask, make_reader, put

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("empty_event_table", "two_regions"),
]


@pytest.fixture
def ask(db: None) -> Ask:
    return make_reader("events")


def ids(response: Any) -> list[str]:
    return [event["external_id"] for event in orjson.loads(response.content)["results"]]


def test_pages_hold_every_event_once_and_the_newest_first(ask: Ask) -> None:
    put(25)
    found: list[str] = []
    after = ""
    while True:
        page = orjson.loads(ask(f"?region=chicago&{JANUARY}&limit=7{after}").content)
        found += [event["external_id"] for event in page["results"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"

    assert found == [f"city-{number:03d}" for number in reversed(range(25))]


@pytest.mark.parametrize("event_count", [1, 20])
def test_a_page_costs_one_query(ask: Ask, event_count: int) -> None:
    put(event_count)
    ask(f"?region=chicago&{JANUARY}")

    with CaptureQueriesContext(connections["clickhouse"]) as queries:
        response = ask(f"?region=chicago&{JANUARY}")

    assert len(ids(response)) == event_count
    assert len(queries) == 1


def test_an_event_is_told_whole(ask: Ask) -> None:
    put(1)

    (event,) = orjson.loads(ask(f"?region=chicago&{JANUARY}").content)["results"]

    cell = h3.latlng_to_cell(41.8, -87.6, 8)
    assert event == {
        "external_id": "city-000",
        "source": "city",
        "region": "chicago",
        "cell_id": str(cell),
        "cell_hex": f"{cell:x}",
        "occurred_at": "2026-01-01T00:00:00Z",
        "ingested_at": "2026-01-02T00:00:00Z",
        "event_type": "theft",
        "lat": 41.8,
        "lon": -87.6,
        "severity": None,
        "amount": None,
        "attributes": {"by": "hand"},
    }


@pytest.mark.parametrize(
    ("query", "count"),
    [
        (JANUARY, 6),
        (f"{JANUARY}&event_type=arson", 0),
        (f"{JANUARY}&cell={h3.latlng_to_cell(41.8, -87.6, 8):x}", 2),
        (f"{JANUARY}&cell={h3.latlng_to_cell(41.8, -87.6, 8)}", 2),
        ("from=2026-01-01T00:00:01Z&to=2026-01-01T00:00:02Z", 2),
        ("to=2026-06-01T00:00:00Z", 6),
        ("to=2027-06-01T00:00:00Z", 0),
    ],
)
def test_a_list_is_filtered(ask: Ask, query: str, count: int) -> None:
    put(6)

    assert len(ids(ask(f"?region=chicago&{query}"))) == count


def test_nobody_sees_what_another_organisation_sent(ask: Ask, admin: Client) -> None:
    for source in ("city", "acme/feed", "rival/feed", "acme-rival/feed"):
        put(1, source=source)

    seen = ids(ask(f"?region=chicago&{JANUARY}"))
    staff = admin.get(f"/api/v1/events?region=chicago&{JANUARY}")

    assert seen == ["city-000", "acme/feed-000"]
    assert len(ids(staff)) == 4


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"?region=nowhere&{JANUARY}", 404, "region_not_found"),
        (f"?region=secret&{JANUARY}", 404, "region_not_found"),
        (f"/export?region=secret&{JANUARY}", 404, "region_not_found"),
        (f"?region=chicago&{JANUARY}&after=xyz", 422, "cursor_invalid"),
        (f"?region=chicago&{JANUARY}&cell=xyz", 422, "invalid_input"),
        (
            "?region=chicago&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
            422,
            "invalid_input",
        ),
        (f"/export?region=chicago&{JANUARY}&format=xlsx", 406, "not_acceptable"),
    ],
)
def test_wrong_questions_are_problems(
    ask: Ask, path: str, status: int, code: str
) -> None:
    response = ask(path)

    assert (response.status_code, orjson.loads(response.content)["code"]) == (
        status,
        code,
    )


def test_only_who_may_read_reads(ask: Ask, stranger: Client) -> None:
    organisation = Organisation.objects.create(slug="other", name="Other")
    writer = issue_key(organisation, name="w", scopes=["events:write"]).text.text

    for path in ("events", "events/export", "reports", "reports/trend"):
        url = f"/api/v1/{path}?region=chicago&{JANUARY}"
        assert stranger.get(url).status_code in {401, 403}
        assert stranger.get(url, headers={"X-API-Key": writer}).status_code == 403


def test_a_page_of_long_texts_ends_early_and_goes_on(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(5, by="x" * 1_000)
    monkeypatch.setattr(event_lists, "PAGE_BYTES", 2_500)
    short = replace(event_lists.LIST, max_result_bytes=4_000)
    monkeypatch.setattr(event_lists, "SHORT_LIST", short)
    pages = []
    after = ""
    while True:
        page = orjson.loads(ask(f"?region=chicago&{JANUARY}&limit=7{after}").content)
        pages.append([event["external_id"] for event in page["results"]])
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert [name for page in pages for name in page] == [
        f"city-{number:03d}" for number in reversed(range(5))
    ]
    assert len(pages[0]) == 2
