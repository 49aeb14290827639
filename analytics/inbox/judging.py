"""Holds read rows against the rules: what is accepted gets its place in the grid."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import isfinite
from typing import NamedTuple

import h3.api.basic_int as h3
import numpy as np
import orjson

from analytics.errors import UnknownRegionError
from analytics.inbox.event_input import EventInput, ReadRow, Refusal
from analytics.inbox.facts import NO_FACTS, Facts
from analytics.placement import RegionDirectory
from analytics.store.clickhouse import EPOCH, MILLISECOND, to_milliseconds
from riskplatform.kernel.instants import EARLIEST

# Clocks of clients go wrong by about this much.
CLOCK_TOLERANCE = timedelta(minutes=1)
EARLIEST_MS = to_milliseconds(EARLIEST)


class Judged(NamedTuple):
    """An acceptable row; `facts` are what makes it another version when they differ.

    The facts are `occurred_ms, lat, lon, event_type, severity, amount, attributes`.
    """

    row_index: int
    source: str
    external_id: str
    is_retracted: bool
    region: str
    is_placed: bool
    cell: int
    facts: Facts


class RefusedRow(NamedTuple):
    row_index: int
    source: str
    refusal: Refusal


@dataclass(slots=True, kw_only=True)
class Judgement:
    events: list[Judged] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostDefaults:
    """What rows of a POST have that do not say it themselves."""

    source: str
    region: str | None = None


MISSING = Refusal(
    "missing_value", "An event needs occurred_at, lat and lon, unless it is retracted."
)
TOO_EARLY = Refusal("time_out_of_range", "occurred_at is before the year 1900.")
FUTURE = Refusal("future_time", "occurred_at is in the future. Events have happened.")
NOT_FINITE = Refusal("not_finite", "severity and amount are finite numbers or null.")
NUL = Refusal("nul_byte", "A text holds a NUL character.")
NO_REGION = Refusal(
    "outside_regions",
    "No region holds this place. Name the region, or define one that does.",
)


class Judge:
    """Judges the rows of one POST."""

    def __init__(
        self, directory: RegionDirectory, *, defaults: PostDefaults, now: datetime
    ) -> None:
        self._directory = directory
        self._defaults = defaults
        self._latest_ms = to_milliseconds(now + CLOCK_TOLERANCE)
        self._resolutions: dict[str, int | None] = {}
        if defaults.region is not None and self._resolution(defaults.region) is None:
            raise UnknownRegionError(
                f"There is no region {defaults.region!r}.", region=defaults.region
            )

    def judge(self, rows: Sequence[ReadRow], *, first_index: int) -> Judgement:
        judgement = Judgement()
        regions = self._regions_of(rows)
        for place, row in enumerate(rows):
            row_index = first_index + place
            judged = (
                row
                if isinstance(row, Refusal)
                else self._judge(row, row_index, regions[place])
            )
            if isinstance(judged, Refusal):
                source = "" if isinstance(row, Refusal) else row.source
                refused = RefusedRow(row_index, source or self._defaults.source, judged)
                judgement.refused.append(refused)
            else:
                judgement.events.append(judged)
        return judgement

    def _regions_of(self, rows: Sequence[ReadRow]) -> Sequence[str | None]:
        """Name the region of each row: its own, the POST's, or the one around it."""
        default = self._defaults.region
        regions: list[str | None] = [getattr(row, "region", None) for row in rows]
        if default is not None:
            return [region or default for region in regions]
        homeless = [
            (place, row.lat, row.lon)
            for place, row in enumerate(rows)
            if isinstance(row, EventInput)
            and row.region is None
            and row.lat is not None
            and row.lon is not None
        ]
        if homeless:
            places, lat, lon = zip(*homeless, strict=True)
            found = self._directory.place(np.array(lat), np.array(lon))
            for place, region in zip(places, found, strict=True):
                regions[place] = region
        return regions

    def _judge(
        self, row: EventInput, row_index: int, region: str | None
    ) -> Judged | Refusal:
        if row.retracted:
            return NUL if "\0" in row.external_id else self._judged(row, row_index)
        if row.occurred_at is None or row.lat is None or row.lon is None:
            return MISSING
        occurred_ms = (row.occurred_at - EPOCH) // MILLISECOND
        attributes = _written(row.attributes)
        facts = (
            *(occurred_ms, row.lat, row.lon, row.event_type),
            *(row.severity, row.amount, attributes),
        )
        fault = _fault(row, attributes) or self._time_fault(occurred_ms)
        return fault or self._placed(row, row_index, region=region, facts=facts)

    def _time_fault(self, occurred_ms: int) -> Refusal | None:
        if occurred_ms < EARLIEST_MS:
            return TOO_EARLY
        return FUTURE if occurred_ms > self._latest_ms else None

    def _placed(
        self, row: EventInput, row_index: int, *, region: str | None, facts: Facts
    ) -> Judged | Refusal:
        if region is None:
            return NO_REGION
        resolution = self._resolution(region)
        if resolution is None:
            return Refusal("unknown_region", f"There is no region {region!r}.")
        cell = h3.latlng_to_cell(facts[1], facts[2], resolution)
        return self._judged(row, row_index, region=region, cell=cell, facts=facts)

    def _judged(
        self,
        row: EventInput,
        row_index: int,
        *,
        region: str = "",
        cell: int = 0,
        facts: Facts = NO_FACTS,
    ) -> Judged:
        return Judged(
            row_index=row_index,
            source=row.source or self._defaults.source,
            external_id=row.external_id,
            is_retracted=row.retracted,
            region=region,
            is_placed=row.region is None and self._defaults.region is None,
            cell=cell,
            facts=facts,
        )

    def _resolution(self, region: str) -> int | None:
        if region not in self._resolutions:
            grid = self._directory.find(region)
            self._resolutions[region] = None if grid is None else grid.resolution
        return self._resolutions[region]


def _fault(row: EventInput, attributes: str) -> Refusal | None:
    if not (isfinite(row.severity or 0.0) and isfinite(row.amount or 0.0)):
        return NOT_FINITE
    has_nul = "\0" in row.external_id or "\0" in row.event_type
    return NUL if has_nul or "\\u0000" in attributes else None


def _written(attributes: dict[str, str]) -> str:
    """Write attributes so that equal ones are equal texts."""
    if not attributes:
        return ""
    return orjson.dumps(attributes, option=orjson.OPT_SORT_KEYS).decode()
