"""Small files of assets as they get damaged, or written by other hands."""

import random

from analytics.ingest.reading_options import ReadingOptions as FileOptions
from scoring.services.portfolios.asset_layouts import ReadingOptions
from tests.analytics.ingest.mutated_files import NUMBERS, TEXTS, packed, write_csv

AMOUNTS = (*NUMBERS, "$1,000.50", "1e17", "1e18", "250K", "-1", "0.005", "1 000", "inf")
CODES = ("0", "1", "2", "2.0", "9", "", "1050.0", "WTC", "-1", "x")
OWN = ("id", "lat", "lon", "value", "currency", "name", "deductible", "limit")
OED = (
    *("PortNumber", "AccNumber", "LocNumber", "Latitude", "Longitude", "LocCurrency"),
    *("BuildingTIV", "ContentsTIV", "BITIV", "OccupancyCode", "LocPeril"),
    *("LocDedType6All", "LocDed6All", "LocLimit5PD", "LocDed1Building"),
    *("LocMinDed6All", "LocParticipation", "CondLimit6All"),
)
OPENQUAKE = (
    *("id", "lon", "lat", "taxonomy", "number", "structural", "nonstructural"),
    *("contents", "night"),
)
CLIMADA = ("latitude", "longitude", "value", "deductible", "cover", "region_id")
MAPPED = ReadingOptions(column_map="id=id,lat=lat,lon=lon,value=value+limit")
PLACES = {"lat": 41, "latitude": 41, "lon": -87, "longitude": -87}
LAYOUTS = (
    *((OWN, ReadingOptions()), (OWN, MAPPED), (OED, ReadingOptions())),
    *((OED, ReadingOptions(layout="oed")), (CLIMADA, ReadingOptions(layout="climada"))),
    (OPENQUAKE, ReadingOptions(layout="openquake")),
)
DIALECTS = (
    *(FileOptions(), FileOptions(decimal=","), FileOptions(thousands=",")),
    *(FileOptions(nulls=("-999", "NA")), FileOptions(is_lenient=True)),
)


def mutated_assets(number: int) -> tuple[bytes, ReadingOptions]:
    """Give the content of a file and how to read it; the same for the same number."""
    dice = random.Random(number)  # noqa: S311  # damage, not a secret
    names, reading = dice.choice(LAYOUTS)
    is_whole = dice.random() < 0.5
    rows = [_row(names, dice, is_whole=is_whole) for _ in range(dice.randrange(6))]
    header = tuple(name.upper() if dice.random() < 0.1 else name for name in names)
    content = write_csv([header, *rows], dice)
    options = ReadingOptions(
        layout=reading.layout,
        column_map=reading.column_map,
        is_skipping_unlocated=dice.random() < 0.3,
        file=dice.choice(DIALECTS) if dice.random() < 0.5 else reading.file,
    )
    return (content if is_whole else packed(content, dice)), options


def _row(
    names: tuple[str, ...], dice: random.Random, *, is_whole: bool
) -> tuple[str, ...]:
    """Fill in what each column takes; some rows of a file that is not whole, worse."""
    is_odd = not is_whole and dice.random() < 0.5
    return tuple(_odd(name, dice) if is_odd else _usual(name, dice) for name in names)


def _usual(name: str, dice: random.Random) -> str:
    known = name.lower()
    if known in PLACES:
        return f"{PLACES[known]}.{dice.randrange(10)}"
    if known.endswith(("currency", "type6all", "peril", "code", "name")):
        return ""
    return "1" if known.endswith("participation") else str(dice.randrange(1_000))


def _odd(name: str, dice: random.Random) -> str:
    known = name.lower()
    if known.endswith(("number", "id", "name", "currency", "peril", "taxonomy")):
        return dice.choice(TEXTS)
    return dice.choice(CODES if known.endswith(("code", "type6all")) else AMOUNTS)
