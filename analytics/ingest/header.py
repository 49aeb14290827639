"""Finds the columns of a map in the header of a file, or says what it should be."""

from collections.abc import Mapping, Sequence

from analytics.errors import ColumnMapError
from analytics.ingest.column_map import OPTIONAL, REQUIRED, ColumnMap, quoted

# Names of columns seen in public files; the first that is there is suggested.
USUAL_NAMES: Mapping[str, tuple[str, ...]] = {
    "occurred_at": (
        *("occurred_at", "occurred", "time", "timestamp", "datetime", "date_time"),
        *("event_time", "event_date", "origin_time", "date", "start_time", "t"),
    ),
    "lat": ("lat", "latitude", "y", "ycoord", "lat_deg", "begin_lat", "slat"),
    "lon": ("lon", "lng", "long", "longitude", "x", "xcoord", "begin_lon", "slon"),
    "event_type": ("event_type", "type", "category", "primary type", "kind"),
    "severity": ("severity", "magnitude", "mag"),
    "amount": ("amount", "loss", "loss_usd", "damage", "damage_usd"),
    "external_id": ("external_id", "event_id", "id", "case number", "case_number"),
}


def locate_columns(
    header: Sequence[str], column_map: ColumnMap, *, file: str
) -> dict[str, int]:
    """Give the place of each mapped field in a row."""
    missing = [name for name in column_map.columns.values() if name not in header]
    if missing:
        raise ColumnMapError(
            f"{file}, row 1: there is no column {', '.join(missing)}. The columns are:"
            f" {', '.join(header)}. Try the map {suggest_map(header)}",
            file=file,
            missing=missing,
            found=list(header),
        )
    for name in column_map.columns.values():
        places = [place for place, column in enumerate(header) if column == name]
        if len(places) > 1:
            numbers = " and ".join(str(place + 1) for place in places)
            raise ColumnMapError(
                f"{file}, row 1: the header has the column {name} more than once"
                f" (columns {numbers}). Give each column its own name.",
                file=file,
                column=name,
            )
    return {field: header.index(name) for field, name in column_map.columns.items()}


def suggest_map(header: Sequence[str]) -> str:
    """Write the map that these column names look like; `?` where none does."""
    by_folded = {name.strip().casefold(): name.strip() for name in reversed(header)}
    items: list[str] = []
    for name in (*REQUIRED, *OPTIONAL):
        found = next((by_folded[n] for n in USUAL_NAMES[name] if n in by_folded), None)
        if found is not None or name in REQUIRED:
            items.append(quoted(f"{name}={found or '?'}"))
    return ",".join(items)
