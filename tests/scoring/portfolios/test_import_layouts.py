"""Files of other programs: their columns, their codes, and the terms of insurance."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskplatform.api.keys.models import Organisation
from scoring.errors import AssetFileError, AssetRowsError
from scoring.models import Asset, Portfolio
from scoring.services.portfolios.asset_import import (
    AssetImport,
    ImportOptions,
    import_assets,
)
from scoring.services.portfolios.asset_layouts import Format, ReadingOptions
from scoring.services.portfolios.asset_values import RowValues
from scoring.services.portfolios.oed import read_oed, term_columns
from tests.support.factories import make_portfolio, make_vulnerability

pytestmark = [pytest.mark.django_db, pytest.mark.databases]
PLACE = "LocNumber,Latitude,Longitude"


@pytest.fixture
def portfolio(acme: Organisation) -> Portfolio:
    return make_portfolio(acme)


def take(
    portfolio: Portfolio,
    text: str,
    *,
    layout: Format | None = None,
    column_map: str = "",
    skips: bool = False,
) -> AssetImport:
    reading = ReadingOptions(
        layout=layout, column_map=column_map, is_skipping_unlocated=skips
    )
    return import_assets(
        portfolio, [text.encode()], options=ImportOptions(), reading=reading
    )


def terms() -> list[tuple[Decimal, Decimal, Decimal | None]]:
    found = Asset.objects.order_by("reference")
    return [(asset.value, asset.deductible, asset.limit) for asset in found]


def test_an_exposure_of_openquake_is_read(portfolio: Portfolio) -> None:
    make_vulnerability(slug="Wood")
    done = take(
        portfolio,
        "id,lon,lat,taxonomy,number,structural,contents,night,NAME_1\n"
        "a,-87.6,41.8,Wood,1,100,50,5,X\nb,-87.6,41.9,Stone,2,10.5,,1,Y\n",
        layout="openquake",
    )
    assert (done.format, done.created_count) == ("openquake", 2)
    assert done.without_curve_count == 1
    first, second = Asset.objects.order_by("reference")
    assert (first.value, str(first.vulnerability)) == (Decimal(150), "Wood")
    assert (second.value, second.vulnerability) == (Decimal("10.50"), None)


def test_an_exposure_of_climada_has_rows_for_ids(portfolio: Portfolio) -> None:
    done = take(
        portfolio,
        "latitude,longitude,value,cover,deductible,impf_TC\n"
        "41.8,-87.6,1000,800,10,1\n41.9,-87.6,500,,,1\n",
        layout="climada",
    )
    assert done.created_count == 2
    assert terms() == [
        (Decimal(1_000), Decimal(10), Decimal(800)),
        (Decimal(500), Decimal(0), None),
    ]
    assert list(Asset.objects.values_list("reference", flat=True)) == ["2", "3"]


def test_a_map_names_columns_and_adds_amounts(portfolio: Portfolio) -> None:
    done = take(
        portfolio,
        "Asset,Y,X,Building,Contents,Note\nh,41.8,-87.6,100,20,old\n",
        column_map="id=Asset,lat=Y,lon=X,value=Building+Contents",
    )
    assert (done.format, terms()) == ("mapped", [(Decimal(120), Decimal(0), None)])


@pytest.mark.parametrize(
    ("column_map", "reason"),
    [
        ("lat=y,lon=x", "no column for value"),
        ("lat=y,lon=x,value=v,worth=v", "'worth=v' is no part"),
        ("lat=y,lon=x,value=v+w", "no column w"),
        ("lat=y,lat=x,value=v", "'lat=x' is no part"),
    ],
)
def test_a_map_that_is_wrong_says_so(
    portfolio: Portfolio, column_map: str, reason: str
) -> None:
    with pytest.raises(AssetFileError, match=reason.replace("+", r"\+")):
        take(portfolio, "y,x,v\n1,1,1\n", column_map=column_map)


def test_codes_as_floats_and_currencies_in_small_letters_are_read(
    portfolio: Portfolio,
) -> None:
    make_vulnerability(slug="oed-1050-5204")
    take(
        portfolio,
        f"AccNumber,{PLACE},OccupancyCode,ConstructionCode,BuildingTIV,LocCurrency,"
        "LocDedType6All,LocDed6All\n1.0,2.0,41.8,-87.6,1050.0,5204.0,100,usd,2.0,0.1\n",
    )
    (asset,) = Asset.objects.all()
    assert (asset.reference, str(asset.vulnerability)) == ("1/2", "oed-1050-5204")
    assert asset.deductible == Decimal(10)


@pytest.mark.parametrize(
    ("columns", "row", "expected"),
    [
        ("LocDed1Building", "1000,,20", (1_000, 20, None)),
        ("LocDedType5PD,LocDed5PD,LocLimit5PD", "1000,,2,0.5,100", (1_000, 500, 100)),
        ("LocMinDed6All,LocParticipation", "1000,,250,0.2", (200, 50, None)),
        ("LocDed6All,LocMaxDed6All", "1000,,400,300", (1_000, 300, None)),
        ("LocLimit1Building,LocDed6All", "1000,,600,50", (1_000, 50, 550)),
        # Terms of contents, of which there are none.
        ("LocDed3Contents", "1000,,20", (1_000, 0, None)),
    ],
)
def test_terms_that_are_exact_are_kept(
    portfolio: Portfolio, columns: str, row: str, expected: tuple[int, int, int | None]
) -> None:
    done = take(
        portfolio, f"{PLACE},BuildingTIV,ContentsTIV,{columns}\n1,41.8,-87.6,{row}\n"
    )
    assert done.ignored_terms == {}
    assert terms() == [
        tuple(None if part is None else Decimal(part) for part in expected)
    ]


def test_terms_that_are_not_exact_are_named_with_their_count(
    portfolio: Portfolio,
) -> None:
    done = take(
        portfolio,
        f"{PLACE},BuildingTIV,BITIV,LocDed1Building,LocLimit5PD,CondLimit6All\n"
        "1,41.8,-87.6,1000,100,20,,\n2,41.8,-87.6,1000,100,20,300,\n"
        "3,41.8,-87.6,1000,,20,300,5\n",
    )
    assert done.ignored_terms == {
        "CondLimit6All": 1,
        "LocDed1Building": 2,
        "LocLimit5PD": 1,
    }
    assert [deductible for _, deductible, _ in terms()] == [0, 0, 20]


def test_further_rows_of_a_location_are_counted(portfolio: Portfolio) -> None:
    head = f"{PLACE},BuildingTIV,LocPeril,LocDed6All\n"
    rows = "1,41.8,-87.6,100,WTC,5\n1,41.8,-87.6,100,QQ1,10\n2,41.9,-87.6,50,WTC,0\n"
    done = take(portfolio, head + rows)
    assert (done.created_count, done.repeated_count) == (2, 1)
    assert terms()[0][1] == 5
    with pytest.raises(AssetRowsError, match="came in row 2 already"):
        take(portfolio, head + "3,41.8,-87.6,100,,\n3,41.8,-87.6,101,,\n")


def test_rows_without_a_place_are_left_out_if_that_is_wanted(
    portfolio: Portfolio,
) -> None:
    text = "id,lat,lon,value\na,41.8,-87.6,1\nb,,,2\nc,41.8,,3\n"
    with pytest.raises(AssetRowsError, match="3 faults"):
        take(portfolio, text)
    with pytest.raises(AssetRowsError, match="1 faults"):
        take(portfolio, text, skips=True)
    done = take(portfolio, text.replace("c,41.8,,3\n", ""), skips=True)
    assert (done.created_count, done.unlocated_count) == (1, 1)


def layers() -> Iterator[tuple[str, str]]:
    """Name the terms of the three levels that a house without contents has."""
    for level in ("1building", "5pd", "6all"):
        yield f"locded{level}", f"loclimit{level}"


@given(
    st.lists(st.integers(0, 1_200), min_size=6, max_size=6),
    st.integers(0, 1_000),
)
def test_terms_of_three_levels_are_applied_one_after_the_other(
    amounts: list[int], loss: int
) -> None:
    """As the Oasis financial module has it; a limit of 0 is none."""
    names = [name for pair in layers() for name in pair]
    header = [*PLACE.casefold().split(","), "buildingtiv", *names]
    values = RowValues(
        2,
        ["1", "41.8", "-87.6", "1000", *map(str, amounts)],
        columns={name: index for index, name in enumerate(header)},
        header=header,
    )
    asset = read_oed(values, terms=term_columns(header))
    assert (values.faults, asset.ignored) == ([], ())
    expected = Decimal(loss)
    for deductible, limit in zip(amounts[::2], amounts[1::2], strict=True):
        expected = max(expected - deductible, Decimal(0))
        expected = min(expected, Decimal(limit)) if limit else expected
    found = max(Decimal(loss) - asset.deductible, Decimal(0))
    found = found if asset.limit is None else min(found, asset.limit)
    assert found == expected
