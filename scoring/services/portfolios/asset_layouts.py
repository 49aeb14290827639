"""Which columns a file of assets has: our own few, or those of Open Exposure Data."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from analytics.ingest.rules import RowCode
from scoring.errors import AssetFileError
from scoring.services.portfolios.asset_values import (
    BEYOND,
    CENT,
    ZERO,
    AssetCode,
    RowValues,
)

MAX_REFERENCE_CHARS = 100
MAX_NAME_CHARS = 200
MAX_SLUG_CHARS = 50
# The name of a field, and what else files call it.
MINIMAL: Mapping[str, tuple[str, ...]] = {
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
MINIMAL_REQUIRED = ("id", "lat", "lon", "value")
OED_KEYS = ("portnumber", "accnumber", "locnumber")
OED_VALUES = ("buildingtiv", "othertiv", "contentstiv", "bitiv")
OED_REQUIRED = ("locnumber", "latitude", "longitude")
# Kinds of terms in Open Exposure Data: an amount, or a share of the value insured.
TERM_AMOUNT = ("", "0")
TERM_SHARE_OF_VALUE = "2"

Format = Literal["minimal", "oed"]


@dataclass(frozen=True, slots=True)
class AssetRow:
    """One row that can be read; `curves` are slugs, the first that exists counts."""

    row: int
    reference: str
    name: str
    lat: float
    lon: float
    value: Decimal
    deductible: Decimal
    limit: Decimal | None
    currency: str
    curves: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How to read the rows.

    `reference` and `currency` are the columns with these; `names_curves`: a curve that
    is named has to exist.
    """

    format: Format
    reference: str
    currency: str
    names_curves: bool
    header: Sequence[str]
    columns: Mapping[str, int]
    read_values: Callable[[RowValues], AssetRow]


def detect_layout(header: Sequence[str]) -> Layout:
    """Recognise a file by its header; upper and lower case are the same.

    Raises
    ------
    AssetFileError
        It names a column twice, lacks one, or has one that is not known.
    """
    folded = [name.casefold() for name in header]
    twice = sorted({name for name in folded if folded.count(name) > 1})
    if twice:
        raise AssetFileError(
            f"The header names {', '.join(twice)[:200]} more than once.", columns=twice
        )
    indices = {name: index for index, name in enumerate(folded)}
    return (
        _oed(header, indices) if "locnumber" in indices else _minimal(header, indices)
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
        names_curves=True,
        header=header,
        columns=columns,
        read_values=_read_minimal,
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
        names_curves=False,
        header=header,
        columns=indices,
        read_values=_read_oed,
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
        f" ({', '.join(list(MINIMAL)[4:])}). Columns {' '.join(parts)}",
        missing=missing,
        unknown=unknown[:20],
    )


def _read_minimal(values: RowValues) -> AssetRow:
    curve = values.text("vulnerability", max_chars=MAX_SLUG_CHARS)
    return AssetRow(
        values.row,
        values.text("id", max_chars=MAX_REFERENCE_CHARS, is_required=True),
        values.text("name", max_chars=MAX_NAME_CHARS),
        *values.place("lat", "lon"),
        values.money("value", is_required=True) or ZERO,
        values.money("deductible") or ZERO,
        values.money("limit"),
        values.raw("currency"),
        (curve,) if curve else (),
    )


def _read_oed(values: RowValues) -> AssetRow:
    value = sum((values.money(name) or ZERO for name in OED_VALUES), ZERO)
    if value >= BEYOND:
        reason = "the insured values add up to 10^18 or more."
        values.note("buildingtiv", AssetCode.OUT_OF_RANGE, reason)
    return AssetRow(
        values.row,
        _oed_reference(values),
        values.text("locname", max_chars=MAX_NAME_CHARS),
        *values.place("latitude", "longitude"),
        value,
        _oed_term(values, "locded6all", "locdedtype6all", value),
        # A limit of zero means that there is none.
        _oed_term(values, "loclimit6all", "loclimittype6all", value) or None,
        values.raw("loccurrency"),
        _oed_curves(values),
    )


def _oed_reference(values: RowValues) -> str:
    """A location is known by its portfolio, account and own number together."""
    parts = [values.raw(key) for key in OED_KEYS]
    if not parts[-1]:
        values.text("locnumber", max_chars=1, is_required=True)
        return ""
    reference = "/".join(part for part in parts if part)
    if len(reference) > MAX_REFERENCE_CHARS:
        values.note(
            "locnumber",
            RowCode.FIELD_TOO_LONG,
            f"with its account it has {len(reference)} characters,"
            f" {MAX_REFERENCE_CHARS} at most fit.",
        )
        return ""
    for key in OED_KEYS:
        values.text(key, max_chars=MAX_REFERENCE_CHARS)
    return reference


def _oed_term(values: RowValues, column: str, kind: str, value: Decimal) -> Decimal:
    amount = values.amount(column)
    if not amount:
        return ZERO
    type_of_term = values.raw(kind)
    if type_of_term in TERM_AMOUNT:
        return amount.quantize(CENT)
    if type_of_term == TERM_SHARE_OF_VALUE and amount <= 1:
        return (amount * value).quantize(CENT)
    reason = "only terms of type 0 (an amount) and 2 (a share of the value) are taken."
    values.note(kind, AssetCode.UNSUPPORTED_TERM, reason)
    return ZERO


def _oed_curves(values: RowValues) -> tuple[str, ...]:
    """Look up the curve of occupancy and construction, then that of occupancy."""
    occupancy = values.raw("occupancycode")
    if not occupancy:
        return ()
    construction = values.raw("constructioncode")
    return (f"oed-{occupancy}-{construction}", f"oed-{occupancy}")
