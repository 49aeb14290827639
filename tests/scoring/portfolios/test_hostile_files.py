"""Whatever bytes come as a file of assets, the answer is a problem, never a 500."""

import zlib

import pytest
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from riskplatform.api.keys.models import Organisation
from scoring.models import Asset, Portfolio
from tests.support.factories import make_portfolio

pytestmark = pytest.mark.django_db

FIELDS = st.one_of(
    st.sampled_from(
        ["", "0", "-0", "90", "1e999", "-1e-999", "nan", '"', '""', "'", "=1+1", "\x00"]
    ),
    st.floats().map(str),
    st.integers().map(str),
    st.text(max_size=12),
)
HEADERS = st.sampled_from(
    [
        "id,lat,lon,value",
        "id,lat,lon,value,currency,name,deductible,limit,vulnerability",
        "PortNumber,AccNumber,LocNumber,Latitude,Longitude,BuildingTIV,LocDed6All",
        "id;lat;lon;value",
        '"id","lat","lon","value"',
    ]
)
ROWS = st.lists(st.lists(FIELDS, max_size=10).map(",".join), max_size=6)
CSV = st.builds(
    lambda header, rows, end: end.join([header, *rows]).encode(
        "utf-8", "surrogatepass"
    ),
    HEADERS,
    ROWS,
    st.sampled_from(["\n", "\r\n", "\r", "\n\n"]),
)
BODIES = st.one_of(
    CSV,
    st.binary(min_size=1, max_size=200),
    st.builds(lambda body, tail: body + tail, CSV, st.binary(max_size=20)),
)
SLOW_FIXTURES = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@pytest.fixture
def portfolio(acme: Organisation) -> Portfolio:
    return make_portfolio(acme)


@given(body=BODIES, replaces=st.booleans())
@example(body=b"\xff\xfei\x00d\x00", replaces=False)
@example(body=b"id,lat,lon,value\n" + b'"' * 70_000, replaces=False)
@example(body=b"id,lat,lon,value\na,1,1,1" + b"0" * 70_000, replaces=True)
@settings(max_examples=150, deadline=None, suppress_health_check=SLOW_FIXTURES)
def test_any_bytes_get_a_problem_or_a_receipt(
    body: bytes, replaces: bool, client: Client, portfolio: Portfolio
) -> None:
    client.raise_request_exception = False
    address = f"/api/v1/portfolios/{portfolio.pk}/assets/import"
    query = f"?dry_run=true&replace={str(replaces).lower()}"
    response = client.post(address + query, body, "text/csv")
    assert response.status_code in {201, 400, 413, 422}
    assert response.status_code == 201 or response.json()["detail"]
    assert not Asset.objects.exists()


@given(body=st.binary(min_size=1, max_size=100), cut=st.integers(0, 30))
@settings(max_examples=50, deadline=None, suppress_health_check=SLOW_FIXTURES)
def test_any_packed_bytes_get_a_problem(
    body: bytes, cut: int, client: Client, portfolio: Portfolio
) -> None:
    client.raise_request_exception = False
    response = client.post(
        f"/api/v1/portfolios/{portfolio.pk}/assets/import",
        zlib.compress(body, wbits=31)[:cut] + body,
        "text/csv",
        headers={"Content-Encoding": "gzip"},
    )
    assert response.status_code in {400, 422}


@pytest.mark.parametrize(
    ("content_type", "headers", "status"),
    [
        ("application/json", {}, 415),
        ("", {}, 415),
        ("text/csv", {"Content-Encoding": "br"}, 415),
        ("text/csv; charset=utf-8", {}, 422),
    ],
)
def test_other_forms_of_bodies_are_refused(
    content_type: str,
    headers: dict[str, str],
    status: int,
    client: Client,
    portfolio: Portfolio,
) -> None:
    address = f"/api/v1/portfolios/{portfolio.pk}/assets/import"
    response = client.post(address, b"{}", content_type, headers=headers)
    assert response.status_code == status
