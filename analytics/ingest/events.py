"""Events as columns: what ingestion hands around instead of one object an event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from analytics.errors import EventColumnsError
from analytics.grid import RegionGrid
from analytics.store.clickhouse import to_milliseconds

DEFAULT_EVENT_TYPE = "event"
MAX_SOURCE_CHARS = 100

Indices = NDArray[np.int64]


def check_source(source: str) -> None:
    if not source.strip() or len(source) > MAX_SOURCE_CHARS:
        raise EventColumnsError(
            f"A source has a name of 1 to {MAX_SOURCE_CHARS} characters.", source=source
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTarget:
    """Where events are stored, under which source, and when they arrive.

    A rehearsal, `is_dry_run`, does all but write. Without `updates` what is stored
    stays as it is when it comes again with other values.
    """

    grid: RegionGrid
    source: str
    now: datetime
    is_dry_run: bool = False
    updates: bool = True

    def __post_init__(self) -> None:
        check_source(self.source)

    @property
    def now_ms(self) -> int:
        return to_milliseconds(self.now)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventColumns:
    """Events of one source, all columns equally long.

    Parameters
    ----------
    occurred_ms
        Milliseconds since 1970 in UTC.
    lat, lon
        Degrees, valid on the earth.
    external_id
        What the source calls the event, unique within region and source. Left
        out, events are named by what they say, equal ones by their number.
    event_type
        One for all, or one an event.
    severity, amount
        NaN where unknown; left out when unknown for all.
    attributes
        Further facts as texts; left out when there are none.
    """

    occurred_ms: Indices
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    external_id: Sequence[str] = ()
    event_type: str | Sequence[str] = DEFAULT_EVENT_TYPE
    severity: NDArray[np.float64] | None = None
    amount: NDArray[np.float64] | None = None
    attributes: Sequence[Mapping[str, str]] | None = None

    def __post_init__(self) -> None:
        for name in ("lat", "lon", *self._given()):
            if len(getattr(self, name)) != len(self):
                raise EventColumnsError(
                    f"The column {name} has {len(getattr(self, name))} values for"
                    f" {len(self)} events.",
                    column=name,
                )
        # NaN fails both comparisons, so it is refused with the rest.
        is_on_earth = (np.abs(self.lat) <= 90) & (np.abs(self.lon) <= 180)
        if not bool(is_on_earth.all()):
            index = int(np.flatnonzero(~is_on_earth)[0])
            raise EventColumnsError(
                f"Event {index} lies at latitude {self.lat[index]:g}, longitude"
                f" {self.lon[index]:g}, which is not a place on the earth.",
                index=index,
            )

    def __len__(self) -> int:
        return len(self.occurred_ms)

    def take(self, indices: Indices) -> Self:
        """Give the events at these indices, in this order."""
        taken: dict[str, Any] = {
            name: _take(getattr(self, name), indices)
            for name in ("occurred_ms", "lat", "lon", *self._given())
        }
        # One type for all of them stays one.
        return type(self)(**{"event_type": self.event_type, **taken})

    def types(self) -> list[str]:
        """Give the type of each event."""
        if isinstance(self.event_type, str):
            return [self.event_type] * len(self)
        return list(self.event_type)

    def _given(self) -> list[str]:
        """Name the optional columns that are there."""
        given = [
            name
            for name in ("severity", "amount", "attributes")
            if getattr(self, name) is not None
        ]
        if self.external_id:
            given.append("external_id")
        if not isinstance(self.event_type, str):
            given.append("event_type")
        return given


def _take(column: Any, indices: Indices) -> Any:
    if isinstance(column, np.ndarray):
        return column[indices]
    return [column[index] for index in indices.tolist()]
