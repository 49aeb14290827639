"""Which files are taken for files of assets, and how OED locations are read."""

from decimal import Decimal

import pytest

from riskplatform.api.keys.models import Organisation
from riskplatform.kernel.errors import ApplicationError
from scoring.errors import AssetFileError, AssetRowsError
from scoring.models import Asset, Portfolio
from scoring.services.portfolios.asset_import import (
    AssetImport,
    ImportOptions,
    import_assets,
)
from tests.support.factories import make_portfolio, make_vulnerability

pytestmark = [pytest.mark.django_db, pytest.mark.databases]

OED = (
    "PortNumber,AccNumber,LocNumber,LocName,CountryCode,Latitude,Longitude,"
    "OccupancyCode,ConstructionCode,LocPerilsCovered,BuildingTIV,OtherTIV,"
    "ContentsTIV,BITIV,LocCurrency,LocDedType6All,LocDed6All,LocLimit6All\n"
)


@pytest.fixture
def portfolio(acme: Organisation) -> Portfolio:
    return make_portfolio(acme)


def take(portfolio: Portfolio, text: str | bytes) -> AssetImport:
    body = text.encode() if isinstance(text, str) else text
    return import_assets(portfolio, [body], options=ImportOptions())


def test_reads_locations_of_open_exposure_data(portfolio: Portfolio) -> None:
    make_vulnerability(slug="oed-1050-5204")
    make_vulnerability(slug="oed-1100")
    done = take(
        portfolio,
        OED + "1,A1,77,Mill,US,41.8,-87.6,1050,5204,WTC,100,20,3,0.5,USD,0,10,0\n"
        "1,A1,78,,US,41.8,-87.6,1100,5000,WTC,1000,,,,USD,2,0.025,50\n"
        "1,A2,77,,US,41.8,-87.6,1000,5000,WTC,0,0,0,0,,,,\n",
    )
    assert (done.format, done.created_count) == ("oed", 3)
    mill, share, bare = Asset.objects.order_by("reference")
    assert [a.reference for a in (mill, share, bare)] == [
        "1/A1/77",
        "1/A1/78",
        "1/A2/77",
    ]
    assert (mill.name, mill.value, mill.deductible) == (
        *("Mill", Decimal("123.50"), Decimal(10)),
    )
    assert (mill.limit, str(mill.vulnerability)) == (None, "oed-1050-5204")
    assert (share.value, share.deductible, share.limit) == (
        *(Decimal(1_000), Decimal(25), Decimal(50)),
    )
    assert str(share.vulnerability) == "oed-1100"
    assert (bare.value, bare.vulnerability, bare.limit) == (Decimal(0), None, None)


def test_terms_that_cannot_be_kept_are_faults(portfolio: Portfolio) -> None:
    rows = "1,A1,1,,US,41.8,-87.6,1050,5204,WTC,100,0,0,0,EUR,1,0.5,0\n"
    with pytest.raises(AssetRowsError) as caught:
        take(portfolio, OED + rows)
    faults = [fault.facts for fault in caught.value.faults]
    assert [(f["row"], f["column"], f["code"]) for f in faults] == [
        (2, "LocDedType6All", "unsupported_term")
    ]


def test_column_names_are_read_in_either_case(portfolio: Portfolio) -> None:
    done = take(portfolio, "REFERENCE;Latitude;LNG;Value\na;1.5;2.5;3\n")
    assert (done.format, done.created_count) == ("minimal", 1)
    asset = Asset.objects.get()
    assert (asset.lat, asset.lon, asset.value) == (1.5, 2.5, Decimal(3))


def test_an_own_curve_goes_before_a_shared_one(
    portfolio: Portfolio, acme: Organisation
) -> None:
    own = make_vulnerability(acme)
    make_vulnerability()
    take(portfolio, "id,lat,lon,value,vulnerability\na,1,1,1,brick\n")
    assert Asset.objects.get().vulnerability == own


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("id,lat,lon,value\n", "holds no asset"),
        ("id,lat,lon\na,1,1\n", "missing: value"),
        ("id,lat,lon,value,deductable\na,1,1,1,1\n", "not known: deductable"),
        ("id,lat,lon,value,VALUE\na,1,1,1,1\n", "value more than once"),
        ("id,reference,lat,lon,value\na,b,1,1,1\n", "id and reference mean the same"),
        ("LocNumber,Latitude,Longitude\n1,1,1\n", "missing: BuildingTIV"),
        ("{}", "missing: id, lat, lon, value"),
    ],
)
def test_what_is_no_file_of_assets_is_refused_as_a_whole(
    text: str, complaint: str, portfolio: Portfolio
) -> None:
    with pytest.raises(AssetFileError, match=complaint):
        take(portfolio, text)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("NaN", "bad_number"),
        ("Infinity", "bad_number"),
        ("1_000", "bad_number"),
        ("٣", "bad_number"),
        ("1,5", "bad_number"),
        ("0x10", "bad_number"),
        ("1" * 41, "bad_number"),
        ("1e19", "out_of_range"),
        ("999999999999999999.999", "out_of_range"),
        ("-0.01", "out_of_range"),
        ("", "missing_value"),
    ],
)
def test_amounts_are_read_strictly(value: str, code: str, portfolio: Portfolio) -> None:
    with pytest.raises(AssetRowsError) as caught:
        take(portfolio, f'id,lat,lon,value\na,1,1,"{value}"\n')
    [fault] = caught.value.faults
    assert (fault.facts["column"], fault.facts["code"]) == ("value", code)


def test_bytes_that_are_no_text_are_faults_of_their_rows(portfolio: Portfolio) -> None:
    body = b"id,lat,lon,value,name\na\0,1,1,1,\nb,1,1,1,caf\xe9\nc,1,1,1,\x1b[2J\n"
    with pytest.raises(ApplicationError) as caught:
        take(portfolio, body)
    faults = [fault.facts for fault in caught.value.faults]
    assert [(fault["row"], fault["code"]) for fault in faults] == [
        (2, "nul_byte"),
        (3, "not_utf8"),
        (4, "bad_text"),
    ]
