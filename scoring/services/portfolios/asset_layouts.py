"""Which columns a file of assets has: those that are named, or those of a layout."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal, get_args

from analytics.ingest.reading_options import AS_A_POST
from analytics.ingest.reading_options import ReadingOptions as FileOptions
from scoring.errors import AssetFileError
from scoring.services.portfolios.asset_values import ZERO, AssetRow, RowValues
from scoring.services.portfolios.oed import REQUIRED as OED_REQUIRED
from scoring.services.portfolios.oed import VALUES as OED_VALUES
from scoring.services.portfolios.oed import read_oed, term_columns

MAX_REFERENCE_CHARS: Final = 100
MAX_NAME_CHARS: Final = 200
MAX_SLUG_CHARS: Final = 50
# The name of a field, and what else files call it.
MINIMAL: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("id", "reference"),
    "lat": ("lat", "latitude"),
    "lon": ("lon", "lng", "longitude"),
    "value": ("value",),
    "currency": ("currency",),
    "name": ("name",),
    "deductible": ("deductible",),
    "limit": ("limit",),
    "vulnerability": ("vulnerability",),
}
MINIMAL_REQUIRED: Final = ("id", "lat", "lon", "value")
# Exposure files of other programs: what their columns are here, where there are such.
# Amounts of several columns are added up.
KNOWN: Final[Mapping[str, Mapping[str, str]]] = {
    "openquake": {
        "id": "id",
        "lat": "lat",
        "lon": "lon",
        "value": "structural+nonstructural+contents+business_interruption",
        "vulnerability": "taxonomy",
    },
    "climada": {
        "id": "id",
        "lat": "latitude",
        "lon": "longitude",
        "value": "value",
        "deductible": "deductible",
        "limit": "cover",
    },
}

Format = Literal["minimal", "oed", "openquake", "climada", "mapped"]
FORMATS: Final = get_args(Format)[:-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingOptions:
    """How to read a file, where its header alone does not say.

    `file` is its dialect and how its numbers are written, as of a file of events.
    """

    layout: Format | None = None
    column_map: str = ""
    is_skipping_unlocated: bool = False
    file: FileOptions = AS_A_POST


# By its header.
AS_FOUND: Final = ReadingOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How to read the rows.

    `reference`, `currency` and `place` are the columns with these; `names_curves`: a
    curve that is named has to exist.
    """

    format: Format
    reference: str
    currency: str
    place: tuple[str, str]
    names_curves: bool
    header: Sequence[str]
    columns: Mapping[str, int]
    read_values: Callable[[RowValues], AssetRow]


def choose_layout(header: Sequence[str], reading: ReadingOptions) -> Layout:
    """Read a file as it is said, or recognise it by its header.

    Upper and lower case of columns are the same. A map such as
    `id=asset,value=building+contents` names a column for each field; columns that it
    does not name are left alone.

    Raises
    ------
    AssetFileError
        The header names a column twice, lacks one, or has one that is not known.
    """
    folded = [name.casefold() for name in header]
    twice = sorted({name for name in folded if folded.count(name) > 1})
    if twice:
        raise AssetFileError(
            f"The header names {', '.join(twice)[:200]} more than once.", columns=twice
        )
    indices = {name: index for index, name in enumerate(folded)}
    named = reading.layout
    if reading.column_map:
        return _mapped(header, indices, parse_map(reading.column_map), "mapped")
    if named is not None and named in KNOWN:
        return _mapped(header, indices, _present(KNOWN[named], indices), named)
    if named == "oed" or (named is None and "locnumber" in indices):
        return _oed(header, indices)
    return _minimal(header, indices)


def parse_map(text: str) -> dict[str, str]:
    """Read a map of fields to columns.

    Raises
    ------
    AssetFileError
        It is none, or names a field that there is not.
    """
    found: dict[str, str] = {}
    for pair in text.split(","):
        field, equals, column = (part.strip() for part in pair.partition("="))
        if not equals or not column or field not in MINIMAL or field in found:
            raise AssetFileError(
                f"{pair.strip()[:80]!r} is no part of a map. Write FIELD=COLUMN, each"
                f" field once: {', '.join(MINIMAL)}."
            )
        found[field] = column.casefold()
    if missing := [name for name in ("lat", "lon", "value") if name not in found]:
        raise AssetFileError(f"The map names no column for {', '.join(missing)}.")
    return found


def _present(known: Mapping[str, str], indices: Mapping[str, int]) -> dict[str, str]:
    """Keep the columns that a file has."""
    found = {}
    for field, columns in known.items():
        there = [column for column in columns.split("+") if column in indices]
        if there or field in {"lat", "lon", "value"}:
            found[field] = "+".join(there) or columns
    return found


def _mapped(
    header: Sequence[str],
    indices: Mapping[str, int],
    column_map: Mapping[str, str],
    form: Format,
) -> Layout:
    parts = tuple(column_map["value"].split("+"))
    columns = {
        field: indices[column]
        for field, column in column_map.items()
        if field != "value" and column in indices
    }
    named = [*(column_map[field] for field in column_map if field != "value"), *parts]
    missing = [column for column in named if column not in indices]
    if missing:
        raise AssetFileError(
            f"The file has no column {', '.join(missing)[:200]}. It has:"
            f" {', '.join(header)[:400]}.",
            missing=missing,
        )
    # No field is called as a column with a blank is.
    columns |= {f"value {part}": indices[part] for part in parts}
    values = tuple(f"value {part}" for part in parts)
    return Layout(
        format=form,
        reference="id" if "id" in columns else values[0],
        currency="currency",
        place=("lat", "lon"),
        names_curves=form == "mapped",
        header=header,
        columns=columns,
        read_values=partial(_read, values=values, has_ids="id" in columns),
    )


def _minimal(header: Sequence[str], indices: Mapping[str, int]) -> Layout:
    columns: dict[str, int] = {}
    unknown = set(indices)
    for known, names in MINIMAL.items():
        found = [name for name in names if name in indices]
        if len(found) > 1:
            raise AssetFileError(f"{' and '.join(found)} mean the same. Keep one.")
        if found:
            columns[known] = indices[found[0]]
            unknown.discard(found[0])
    missing = [name for name in MINIMAL_REQUIRED if name not in columns]
    if missing or unknown:
        raise _wrong_columns(missing, sorted(unknown))
    return Layout(
        format="minimal",
        reference="id",
        currency="currency",
        place=("lat", "lon"),
        names_curves=True,
        header=header,
        columns=columns,
        read_values=partial(_read, values=("value",), has_ids=True),
    )


def _oed(header: Sequence[str], indices: Mapping[str, int]) -> Layout:
    """Take what is known of the hundreds of columns, and leave the others."""
    missing = [name for name in OED_REQUIRED if name not in indices]
    if not any(name in indices for name in OED_VALUES):
        missing.append("BuildingTIV")
    if missing:
        raise _wrong_columns(missing, [])
    return Layout(
        format="oed",
        reference="locnumber",
        currency="loccurrency",
        place=("latitude", "longitude"),
        names_curves=False,
        header=header,
        columns=indices,
        read_values=partial(read_oed, terms=term_columns(indices)),
    )


def _wrong_columns(missing: list[str], unknown: list[str]) -> AssetFileError:
    parts = [
        f"{what}: {', '.join(name[:40] for name in names[:20])}."
        for what, names in (("missing", missing), ("not known", unknown))
        if names
    ]
    return AssetFileError(
        "The header names neither the columns of an OED location file nor"
        f" {', '.join(MINIMAL_REQUIRED)} and what may follow them"
        f" ({', '.join(list(MINIMAL)[4:])}). Columns {' '.join(parts)} A map says what"
        " columns mean (--map id=asset,value=building+contents), or a layout:"
        f" {', '.join(FORMATS)}.",
        missing=missing,
        unknown=unknown[:20],
    )


def _read(row: RowValues, *, values: Sequence[str], has_ids: bool) -> AssetRow:
    """Read a row; without ids its number stands for one."""
    curve = row.text("vulnerability", max_chars=MAX_SLUG_CHARS)
    reference = str(row.row)
    if has_ids:
        reference = row.text("id", max_chars=MAX_REFERENCE_CHARS, is_required=True)
    name, place = row.text("name", max_chars=MAX_NAME_CHARS), row.place("lat", "lon")
    is_one = len(values) == 1
    amounts = [row.money(part, is_required=is_one) or ZERO for part in values]
    return AssetRow(
        row.row,
        reference,
        name,
        *place,
        sum(amounts, ZERO),
        row.money("deductible") or ZERO,
        row.money("limit"),
        row.raw("currency").upper(),
        (curve,) if curve else (),
    )
