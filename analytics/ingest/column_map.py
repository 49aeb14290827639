"""Which column of a file means what: `occurred_at=time,lat=Y,lon=X`."""

import csv
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from analytics.errors import ColumnMapError

REQUIRED = ("occurred_at", "lat", "lon")
NEEDED = frozenset({*REQUIRED, "external_id"})
OPTIONAL = ("event_type", "severity", "amount", "external_id")
ATTRIBUTE = "attributes."
# A column that holds them all, as a JSON object.
ATTRIBUTES = "attributes"
JOIN = "+"
EXAMPLE = "occurred_at=time,lat=Y,lon=X"
# Names of columns seen in public files; the first that is there is suggested.
USUAL_NAMES: Mapping[str, tuple[str, ...]] = {
    "occurred_at": (
        *("occurred_at", "occurred", "time", "timestamp", "datetime", "date_time"),
        *("event_time", "event_date", "origin_time", "date", "start_time", "t"),
        *("iso_time", "origintime", "begin_date_time", "date_start", "acq_date"),
        *("crash date", "created date", "created_date", "date_time_occurred", "datum"),
    ),
    "lat": (
        *("lat", "latitude", "y", "ycoord", "lat_deg", "begin_lat", "slat"),
        *("start_lat", "geo_lat", "breite", "@lat"),
    ),
    "lon": (
        *("lon", "lng", "long", "longitude", "longitud", "x", "xcoord", "begin_lon"),
        *("slon", "start_lng", "geo_lon", "länge", "@lon"),
    ),
    "event_type": ("event_type", "type", "category", "primary type", "kind"),
    "severity": ("severity", "magnitude", "mag"),
    "amount": ("amount", "loss", "loss_usd", "damage", "damage_usd"),
    "external_id": ("external_id", "event_id", "id", "case number", "case_number"),
}
# What columns are called that are nothing else, where only one is called so.
LIKELY: Mapping[str, re.Pattern[str]] = {
    "occurred_at": re.compile(r"(?i)(?:\b|_)(?:date|time|datetime|timestamp)(?:\b|_)"),
    "lat": re.compile(r"(?i)(?:\b|_)lat(?:itude)?(?:\b|_)"),
    "lon": re.compile(r"(?i)(?:\b|_)(?:lon|lng|long|longitude)(?:\b|_)"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMap:
    """Fields of an event and the columns they come from, or their constants.

    Parameters
    ----------
    columns
        Field to column name, or to names with a `+` between, whose values are put
        together with a blank. A field `attributes.NAME` becomes an attribute.
    constants
        Field to the one value that all events of the file have.
    may_lack
        Files may lack columns of fields that no event needs, and write others in
        other capitals, as those of a publisher do from year to year.
    """

    columns: Mapping[str, str]
    constants: Mapping[str, str] = field(default_factory=dict)
    may_lack: bool = False

    def __post_init__(self) -> None:
        for name in (*self.columns, *self.constants):
            _check_field(name)
        for name in self.constants:
            may_be = name == "event_type" or name.startswith(ATTRIBUTE)
            if name in self.columns or not may_be:
                raise ColumnMapError(
                    f"{name} cannot be a constant here: only event_type and"
                    " attributes can, and each of them is given once.",
                    field=name,
                )
        missing = [name for name in REQUIRED if name not in self.columns]
        if missing:
            raise ColumnMapError(
                f"The column map lacks {', '.join(missing)}."
                f" It needs at least something like {EXAMPLE}.",
                missing=missing,
            )

    @classmethod
    def parse(
        cls,
        text: str,
        *,
        defaults: Mapping[str, str] | None = None,
        may_lack: bool = False,
    ) -> Self:
        """Read `field=column` and `field:constant`, separated by commas.

        An item with a comma in it is put between double quotes. `defaults` are
        columns of fields that the text leaves out.
        """
        columns: dict[str, str] = {}
        constants: dict[str, str] = {}
        for item in _split(text):
            name, separator, value = _split_item(item)
            if name in columns or name in constants:
                raise ColumnMapError(f"The column map gives {name} twice.", field=name)
            (columns if separator == "=" else constants)[name] = value
        return cls(
            columns={**(defaults or {}), **columns},
            constants=constants,
            may_lack=may_lack,
        )

    def __str__(self) -> str:
        items = [f"{name}={column}" for name, column in self.columns.items()]
        items += [f"{name}:{value}" for name, value in self.constants.items()]
        return ",".join(_quoted(item) for item in items)

    @property
    def attribute_constants(self) -> dict[str, str]:
        return {
            name.removeprefix(ATTRIBUTE): value
            for name, value in self.constants.items()
            if name.startswith(ATTRIBUTE)
        }


def parts_of(column: str, header: Collection[str] = ()) -> list[str]:
    """Give the columns that a field comes from: one, or those that `+` puts together.

    A column that is called so, with its `+`, is one.
    """
    name = plain_name(column)
    if JOIN not in name or name in header:
        return [name]
    return [plain_name(part) for part in name.split(JOIN) if part.strip()] or [name]


def plain_name(name: str) -> str:
    """Write a name in one line: a line break in a header is as good as a blank."""
    return " ".join(name.split())


def locate_columns(
    header: Sequence[str], column_map: ColumnMap, *, file: str
) -> dict[str, int | tuple[int, ...]]:
    """Give the index of each mapped field in a row; several where several make it."""
    parts = {
        field: parts_of(name, header) for field, name in column_map.columns.items()
    }
    if column_map.may_lack:
        parts = _parts_there(parts, header)
    names = list(dict.fromkeys(name for known in parts.values() for name in known))
    missing = [name for name in names if name not in header]
    if missing:
        raise ColumnMapError(
            f"{file}, row 1: there is no column {', '.join(missing)}. The columns are:"
            f" {', '.join(header)}. Try the map {suggest_map(header)}",
            file=file,
            missing=missing,
            found=list(header),
        )
    for name in names:
        indices = [index for index, column in enumerate(header) if column == name]
        if len(indices) > 1:
            numbers = " and ".join(str(index + 1) for index in indices)
            raise ColumnMapError(
                f"{file}, row 1: the header has the column {name} more than once"
                f" (columns {numbers}). Give each column its own name.",
                file=file,
                column=name,
            )
    found = {field: tuple(map(header.index, known)) for field, known in parts.items()}
    return {
        field: indices if len(indices) > 1 else indices[0]
        for field, indices in found.items()
    }


def _parts_there(
    parts: Mapping[str, list[str]], header: Sequence[str]
) -> dict[str, list[str]]:
    """Leave out fields that no event needs and whose columns are not there.

    Publishers also change capitals from year to year.
    """
    folded = {name.casefold(): name for name in reversed(header)}
    found = {
        field: [it if it in header else folded.get(it.casefold(), it) for it in known]
        for field, known in parts.items()
    }
    return {
        field: known
        for field, known in found.items()
        if field in NEEDED or set(known) <= set(header)
    }


def suggest_map(header: Sequence[str]) -> str:
    """Write the map that these column names look like; `?` where none does."""
    by_folded = {name.rpartition(".")[2].casefold(): name for name in reversed(header)}
    by_folded |= {name.strip().casefold(): name.strip() for name in reversed(header)}
    items: list[str] = []
    for name in (*REQUIRED, *OPTIONAL):
        found = next((by_folded[n] for n in USUAL_NAMES[name] if n in by_folded), None)
        if found is None and name in LIKELY:
            likely = [it for it in header if LIKELY[name].search(it)]
            found = likely[0].strip() if len(likely) == 1 else None
        if found is not None or name in REQUIRED:
            items.append(_quoted(f"{name}={found or '?'}"))
    return ",".join(items)


def _check_field(name: str) -> None:
    is_attribute = name.startswith(ATTRIBUTE) and name != ATTRIBUTE
    if not is_attribute and name not in (*REQUIRED, *OPTIONAL, ATTRIBUTES):
        known = ", ".join((*REQUIRED, *OPTIONAL))
        raise ColumnMapError(
            f"{name!r} is not a field of an event. Use {known} or {ATTRIBUTE}NAME.",
            field=name,
        )


def _split(text: str) -> Iterable[str]:
    try:
        items = next(csv.reader([text], skipinitialspace=True, strict=True), [])
    except csv.Error as error:
        raise ColumnMapError(
            f"The column map cannot be read ({error}). Write it like {EXAMPLE}."
        ) from None
    return [item for item in items if item.strip()]


def _split_item(item: str) -> tuple[str, str, str]:
    found = re.search("[=:]", item)
    if found is None:
        raise ColumnMapError(
            f"{item.strip()!r} in the column map is neither field=column nor"
            f" field:constant. Write it like {EXAMPLE}.",
            item=item,
        )
    name, value = item[: found.start()].strip(), item[found.end() :].strip()
    if not value:
        raise ColumnMapError(f"The column map gives nothing for {name}.", field=name)
    return name, found[0], value


def _quoted(item: str) -> str:
    if any(mark in item for mark in ',"\n\r'):
        return '"' + item.replace('"', '""') + '"'
    return item
