"""Validates rows that were read: what is accepted gets its region and its cell."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

import h3.api.basic_int as h3
import numpy as np
import orjson
from msgspec import to_builtins

from analytics.errors import UnknownRegionError
from analytics.grid import Bounds, RegionGrid
from analytics.inbox.event_input import EventInput, ReadRow, UnreadRow, in_field
from analytics.inbox.versions import NO_VALUES, EventValues, RefusedRow, ValidEvent
from analytics.ingest.column_map import OPTIONAL, REQUIRED, ColumnMap
from analytics.ingest.json_rows import FieldReader
from analytics.ingest.rows import BadRow
from analytics.ingest.rules import (
    CLOCK_TOLERANCE,
    EXCHANGED_INTO_REGION,
    IN_NO_REGION,
    MISSING,
    NUL,
    Fault,
    unknown_region,
)
from analytics.ingest.validation import RowRules, validate_rows
from analytics.placement import RegionDirectory
from analytics.store.clickhouse import EPOCH, MILLISECOND, to_milliseconds
from riskplatform.kernel.instants import EARLIEST

EARLIEST_MS = to_milliseconds(EARLIEST)
FIELDS = (*REQUIRED, *OPTIONAL)
COLUMN_MAP = ColumnMap(columns={name: name for name in FIELDS})
COLUMNS = {name: index for index, name in enumerate(FIELDS)}
READER = FieldReader(COLUMN_MAP)


Suspect = tuple[ReadRow, str | None]  # a row that is refused, and its region


class BlockValidator:
    """Validates the rows of one POST.

    A row that looks right is taken as it is; what is wrong with any other is said by
    the rules that hold for files too. Rows that name none have this source and region.
    """

    def __init__(
        self,
        directory: RegionDirectory,
        *,
        source: str,
        region: str | None = None,
        now: datetime,
    ) -> None:
        self._directory = directory
        self._source = source
        self._region = region
        self._latest = now + CLOCK_TOLERANCE
        self._latest_ms = to_milliseconds(self._latest)
        self._grids: dict[str, RegionGrid | None] = {}
        if region is not None and self._grid(region) is None:
            raise UnknownRegionError(f"There is no region {region!r}.", region=region)

    def validate(
        self, rows: Sequence[ReadRow], *, first_index: int
    ) -> tuple[list[ValidEvent], list[RefusedRow]]:
        """Tell the events of a block from the rows that are refused."""
        events: list[ValidEvent] = []
        suspects: dict[int, Suspect] = {}
        placed = zip(rows, self._regions_of(rows), strict=True)
        for index, (row, region) in enumerate(placed, start=first_index):
            event = None
            if isinstance(row, EventInput):
                event = self._event(row, index, region)
            if event is None:
                suspects[index] = row, region
            else:
                events.append(event)
        faults = self._faults(suspects) if suspects else {}
        refused = [
            RefusedRow(
                row_index=index,
                source=getattr(row, "source", None) or self._source,
                fault=faults.get(index) or self._other_fault(row, region),
            )
            for index, (row, region) in suspects.items()
        ]
        return events, refused

    def _regions_of(self, rows: Sequence[ReadRow]) -> Sequence[str | None]:
        """Name the region of each row: its own, the POST's, or the one around it."""
        regions: list[str | None] = [getattr(row, "region", None) for row in rows]
        if self._region is not None:
            return [region or self._region for region in regions]
        homeless = [
            (index, row.lat, row.lon)
            for index, row in enumerate(rows)
            if isinstance(row, EventInput)
            and row.region is None
            and row.lat is not None
            and row.lon is not None
        ]
        if homeless:
            indices, lat, lon = zip(*homeless, strict=True)
            found = self._directory.place(np.array(lat), np.array(lon))
            for index, region in zip(indices, found, strict=True):
                regions[index] = region
        return regions

    def _event(
        self, row: EventInput, row_index: int, region: str | None
    ) -> ValidEvent | None:
        """Give the event that a row is, or nothing where the rules refuse it."""
        if "\0" in row.external_id or row.external_id.isspace():
            return None
        source = row.source or self._source
        is_placed = row.region is None and self._region is None
        if row.retracted:
            identity = (row_index, source, row.external_id, True)
            return ValidEvent(*identity, "", is_placed, 0, NO_VALUES)
        grid = None if region is None else self._grid(region)
        values = self._values_of(row)
        if grid is None or values is None or not _lies_in(grid, *values[1:3]):
            return None
        return ValidEvent(
            row_index=row_index,
            source=source,
            external_id=row.external_id,
            is_retracted=False,
            region=grid.slug,
            is_placed=is_placed,
            cell=h3.latlng_to_cell(values[1], values[2], grid.resolution),
            values=values,
        )

    def _values_of(self, row: EventInput) -> EventValues | None:
        if row.occurred_at is None or row.lat is None or row.lon is None:
            return None
        occurred_ms = (row.occurred_at - EPOCH) // MILLISECOND
        attributes = _written(row.attributes)
        has_nul = "\0" in row.event_type or "\\u0000" in attributes
        if has_nul or not EARLIEST_MS <= occurred_ms <= self._latest_ms:
            return None
        return (
            *(occurred_ms, row.lat, row.lon, row.event_type),
            *(row.severity, row.amount, attributes),
        )

    def _faults(self, suspects: Mapping[int, Suspect]) -> dict[int, Fault]:
        """Say what is wrong with the times, numbers and places of refused rows."""
        faults: dict[int, Fault] = {}
        by_bounds: defaultdict[Bounds | None, dict[int, list[str]]] = defaultdict(dict)
        for index, (row, region) in suspects.items():
            known = to_builtins(row) if isinstance(row, EventInput) else row.known
            if known is None or known.get("retracted") is True:
                continue
            texts = READER.read(known)
            if isinstance(texts, BadRow):
                faults[index] = texts.fault
                continue
            grid = self._grid(region or "")
            by_bounds[None if grid is None else grid.bounds][index] = texts
        for bounds, texts_of in by_bounds.items():
            rules = RowRules(column_map=COLUMN_MAP, latest=self._latest, bounds=bounds)
            indices, rows_of_texts = list(texts_of), list(texts_of.values())
            found = validate_rows(rows_of_texts, columns=COLUMNS, rules=rules)
            for i, (name, fault) in found.faults.items():
                faults[indices[i]] = in_field(name, fault)
        return faults

    def _other_fault(self, row: ReadRow, region: str | None) -> Fault:
        """Say what is wrong with a row whose times and numbers are all right."""
        if isinstance(row, UnreadRow):
            return row.fault
        if row.external_id.isspace():
            return in_field("external_id", MISSING)
        texts = (row.external_id, *row.attributes, *row.attributes.values())
        if any("\0" in text for text in texts):
            return NUL
        return (
            self._fault_of_place(row.lat or 0.0, row.lon or 0.0)
            if region is None
            else in_field("region", unknown_region(region))
        )

    def _fault_of_place(self, lat: float, lon: float) -> Fault:
        if abs(lon) > 90:
            return IN_NO_REGION
        (found,) = self._directory.place(np.array([lon]), np.array([lat]))
        return IN_NO_REGION if found is None else EXCHANGED_INTO_REGION

    def _grid(self, region: str) -> RegionGrid | None:
        if region not in self._grids:
            self._grids[region] = self._directory.find(region)
        return self._grids[region]


def _lies_in(grid: RegionGrid, lat: float, lon: float) -> bool:
    # Numbers compare as arrays do.
    return grid.bounds is None or bool(grid.bounds.contain(lat, lon))  # type: ignore[arg-type]


def _written(attributes: dict[str, str]) -> str:
    """Write attributes so that equal ones are equal texts."""
    if not attributes:
        return ""
    return orjson.dumps(attributes, option=orjson.OPT_SORT_KEYS).decode()
