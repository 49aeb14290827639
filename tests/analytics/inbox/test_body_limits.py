"""What a body may cost; every limit has an answer that says what to do."""

import gzip
import tracemalloc
from collections.abc import Iterator

import orjson
import pytest

from analytics.inbox.receiving import BodyForm, receive_events
from analytics.inbox.validation import PostDefaults
from analytics.models import InboxEvent
from riskplatform.api.keys.models import Organisation
from tests.support.event_payloads import make_event, make_events
from tests.support.one_region import Post

pytestmark = pytest.mark.django_db
DEEP = b"[" * 100_000
NDJSON = "application/x-ndjson"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b" ", 400, "malformed_body"),
        (b"[]", 422, "empty_body"),
        (b"{}", 400, "malformed_body"),
        (b'[{"external_id": "a"}', 400, "malformed_body"),
        (b'[{"external_id": "\\ud800"}]', 400, "malformed_body"),
        (b'[{"external_id": "\xff"}]', 400, "malformed_body"),
        (b'[{"external_id": 1}, tru]', 400, "malformed_body"),
        (b"[1, " + DEEP + b"]", 422, "nested_too_deep"),
        (b'[1, {"a":' + b'{"a":' * 100_000 + b"]", 422, "nested_too_deep"),
        (b" " * ((1 << 24) + 1), 413, "body_too_large"),
    ],
)
def test_a_body_that_cannot_be_read_is_a_problem(
    post: Post, body: bytes, status: int, code: str
) -> None:
    response = post(body)

    problem = orjson.loads(response.content)
    assert (response.status_code, problem["code"]) == (status, code)
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (b"1e999", "bad_json"),
        (b"true", "bad_number"),
        (b'"1_0"', "bad_number"),
        (b"NaN", "bad_json"),
        (DEEP, "bad_json"),
    ],
)
def test_a_line_that_cannot_be_read_is_refused_alone(
    post: Post, value: bytes, code: str
) -> None:
    bad = orjson.dumps(make_event(1)).replace(b"1.5", value)
    lines = [orjson.dumps(make_event(0)), bad, b"", orjson.dumps(make_event(2))]

    answer = orjson.loads(post(b"\n".join(lines), content_type=NDJSON).content)

    assert answer["accepted"] == 2
    assert [row["index"] for row in answer["rejected"]] == [1]
    assert answer["rejected"][0]["code"] == code


@pytest.mark.parametrize("number", [b"nan", b"inf", b"1_0", b"1,5"])
def test_csv_takes_plain_finite_numbers(post: Post, number: bytes) -> None:
    body = (
        b"external_id,occurred_at,lat,lon,severity\n"
        b'a,2026-01-01T00:00:00Z,41.8,-87.6,"' + number + b'"\n'
    )

    answer = orjson.loads(post(body, content_type="text/csv").content)

    assert (answer["accepted"], answer["rejected_count"]) == (0, 1)


@pytest.mark.parametrize(
    ("body", "content_type", "encoding", "status"),
    [
        (b"<a/>", "application/xml", "", 415),
        (b"[]", "application/json", "br", 415),
        (b"[]", "application/json", "gzip", 400),
        (gzip.compress(b"[]" * 100, mtime=0)[:-9], "application/json", "gzip", 400),
        (b"id,time\n1,2\n", "text/csv", "", 400),
        (b" ", "text/csv", "", 422),
        (b"x" * ((1 << 21) + (1 << 20) + 1), NDJSON, "", 413),
    ],
)
def test_a_form_that_is_not_taken_is_a_problem(
    post: Post, body: bytes, content_type: str, encoding: str, status: int
) -> None:
    response = post(body, content_type=content_type, **{"Content-Encoding": encoding})

    assert response.status_code == status


def test_a_small_body_cannot_unpack_to_a_huge_one(post: Post, settings: object) -> None:
    settings.INGEST_MAX_UNPACKED_BYTES = 1 << 24  # type: ignore[attr-defined]  # pytest-django's fixture
    bomb = gzip.compress(b"\n" * (1 << 26))

    tracemalloc.start()
    response = post(bomb, content_type=NDJSON, **{"Content-Encoding": "gzip"})
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    problem = orjson.loads(response.content)
    assert (response.status_code, problem["code"]) == (413, "unpacked_body_too_large")
    assert peak_bytes < 1 << 24


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("INGEST_MAX_BODY_BYTES", 100, "body_too_large"),
        ("INGEST_MAX_ROWS", 2, "too_many_rows"),
    ],
)
def test_configured_limits_hold(
    post: Post, settings: object, name: str, value: int, code: str
) -> None:
    setattr(settings, name, value)

    response = post(make_events(3))

    problem = orjson.loads(response.content)
    assert (response.status_code, problem["code"]) == (413, code)
    assert not InboxEvent.objects.exists()


def test_rows_before_a_limit_stay_and_the_answer_counts_them(
    post: Post, settings: object
) -> None:
    settings.INGEST_MAX_ROWS = 10_000  # type: ignore[attr-defined]  # pytest-django's fixture
    lines = b"\n".join(orjson.dumps(event) for event in make_events(10_001))

    problem = orjson.loads(post(lines, content_type=NDJSON).content)

    assert problem["code"] == "too_many_rows"
    assert 5_000 < problem["rows_done"] < 10_000
    assert InboxEvent.objects.count() == problem["accepted"] == problem["rows_done"]


def test_memory_does_not_grow_with_the_body(acme: Organisation) -> None:
    """Stream 60 MB of lines that are all one event, and hold a few blocks of them."""
    long = make_event(0, attributes={"note": "x" * 3_000})
    piece = (orjson.dumps(long) + b"\n") * 100

    def pieces() -> Iterator[bytes]:
        for _ in range(60_000_000 // len(piece)):
            yield piece

    tracemalloc.start()
    receipt = receive_events(
        pieces(),
        form=BodyForm(content_type=NDJSON),
        organisation=acme,
        defaults=PostDefaults(source="api"),
    )
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert receipt.accepted_count == 1
    assert receipt.row_count == receipt.duplicate_count + 1 > 15_000
    assert peak_bytes < 15_000_000
