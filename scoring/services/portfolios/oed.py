"""Open Exposure Data: a location, its codes, and the terms that one asset can have.

Terms apply in the order of the Oasis financial module: those of a coverage, then of
property damage, then of all. The loss of an asset is its value times one damage ratio,
so terms of a part of its value are exact only where that part is all of it. Terms that
are not exact are ignored and named.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from analytics.ingest.rules import RowCode
from scoring.services.portfolios.asset_values import (
    BEYOND,
    CENT,
    ZERO,
    AssetCode,
    AssetRow,
    RowValues,
)

MAX_REFERENCE_CHARS: Final = 100
MAX_NAME_CHARS: Final = 200
KEYS: Final = ("portnumber", "accnumber", "locnumber")
VALUES: Final = ("buildingtiv", "othertiv", "contentstiv", "bitiv")
REQUIRED: Final = ("locnumber", "latitude", "longitude")
# The end of the names of terms, and whose value they are terms of, in order.
LEVELS: Final = {
    "1building": VALUES[:1],
    "2other": VALUES[1:2],
    "3contents": VALUES[2:3],
    "4bi": VALUES[3:],
    "5pd": VALUES[:3],
    "6all": VALUES,
}
# Kinds of terms: an amount, or a share of the value insured.
AMOUNT: Final = ("", "0")
SHARE_OF_VALUE: Final = "2"
# Columns with amounts that insurers and policies pay less or more by.
TERM: Final = re.compile(
    r"(loc|cond|pol|layer|acc)(minded|maxded|ded|limit|attachment|participation)"
    r"(\d\w+)?"
)
# Codes as pandas writes whole numbers of a column with gaps.
WHOLE: Final = re.compile(r"(\d+)\.0+")


@dataclass(slots=True)
class _Terms:
    """What is left of a loss: less the deductible, and at most the limit."""

    deductible: Decimal = ZERO
    limit: Decimal | None = None

    def then(self, deductible: Decimal, limit: Decimal | None) -> None:
        """Apply other terms to what is left."""
        left = None if self.limit is None else max(self.limit - deductible, ZERO)
        known = [amount for amount in (left, limit) if amount is not None]
        self.deductible += deductible
        self.limit = min(known, default=None)


def term_columns(columns: Iterable[str]) -> tuple[str, ...]:
    """Name the columns that hold amounts of terms."""
    return tuple(name for name in columns if TERM.fullmatch(name))


def read_oed(values: RowValues, *, terms: tuple[str, ...]) -> AssetRow:
    worth = {name: values.money(name) or ZERO for name in VALUES}
    value = sum(worth.values(), ZERO)
    if value >= BEYOND:
        reason = "the insured values add up to 10^18 or more."
        values.note("buildingtiv", AssetCode.OUT_OF_RANGE, reason)
    own, used = _terms_of(values, worth, value)
    share = _participation(values, used)
    ignored = tuple(
        values.title(name)
        for name in terms
        if name not in used and values.raw(name) and (values.amount(name) or ZERO)
    )
    return AssetRow(
        values.row,
        _reference(values),
        values.text("locname", max_chars=MAX_NAME_CHARS),
        *values.place("latitude", "longitude"),
        (value * share).quantize(CENT),
        (own.deductible * share).quantize(CENT),
        None if own.limit is None else (own.limit * share).quantize(CENT),
        values.raw("loccurrency").upper(),
        _curves(values),
        ignored,
    )


def code(text: str) -> str:
    match = WHOLE.fullmatch(text)
    return text if match is None else match[1]


def _terms_of(
    values: RowValues, worth: dict[str, Decimal], value: Decimal
) -> tuple[_Terms, set[str]]:
    """Give the terms of all of the value, and the columns that they are from."""
    terms, used = _Terms(), set[str]()
    for level, parts in LEVELS.items():
        base = sum((worth[part] for part in parts), ZERO)
        if base not in {ZERO, value}:
            continue
        # Terms of nothing change nothing.
        names = [f"loc{kind}{level}" for kind in ("ded", "limit", "minded", "maxded")]
        if not base:
            used.update(names)
            continue
        deductible = _amount(values, names[0], f"locdedtype{level}", base)
        limit = _amount(values, names[1], f"loclimittype{level}", base) or None
        least, most = (values.money(name) or ZERO for name in names[2:])
        used.update(names[:2])
        if (least or most) and terms.limit is None:
            wanted = max(terms.deductible + deductible, least)
            wanted = min(wanted, most) if most else wanted
            deductible = wanted - terms.deductible
            used.update(names[2:])
        terms.then(deductible, limit)
    return terms, used


def _participation(values: RowValues, used: set[str]) -> Decimal:
    """Give the insured share of the loss; value and terms times it are exact."""
    share = values.amount("locparticipation")
    if share is None or not 0 < share <= 1:
        return Decimal(1)
    used.add("locparticipation")
    return share


def _amount(values: RowValues, column: str, kind: str, base: Decimal) -> Decimal:
    amount = values.amount(column)
    if not amount:
        return ZERO
    type_of_term = code(values.raw(kind))
    if type_of_term in AMOUNT:
        return amount.quantize(CENT)
    if type_of_term == SHARE_OF_VALUE and amount <= 1:
        return (amount * base).quantize(CENT)
    reason = "only terms of type 0 (an amount) and 2 (a share of the value) are taken."
    values.note(kind, AssetCode.UNSUPPORTED_TERM, reason)
    return ZERO


def _reference(values: RowValues) -> str:
    """A location is known by its portfolio, account and own number together."""
    parts = [code(values.raw(key)) for key in KEYS]
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
    for key in KEYS:
        values.text(key, max_chars=MAX_REFERENCE_CHARS)
    return reference


def _curves(values: RowValues) -> tuple[str, ...]:
    """Look up the curve of occupancy and construction, then that of occupancy."""
    occupancy = code(values.raw("occupancycode"))
    if not occupancy:
        return ()
    construction = code(values.raw("constructioncode"))
    return (f"oed-{occupancy}-{construction}", f"oed-{occupancy}")
