"""Events as columns: what ingestion hands around instead of one object an event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from analytics.errors import EventColumnsError

DEFAULT_EVENT_TYPE = "event"


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

    occurred_ms: NDArray[np.int64]
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

    def take(self, indices: NDArray[np.int64]) -> Self:
        """Give the events at these indices, in this order."""
        chosen = indices.tolist()
        return type(self)(
            occurred_ms=self.occurred_ms[indices],
            lat=self.lat[indices],
            lon=self.lon[indices],
            external_id=self.external_id and _take(self.external_id, chosen),
            event_type=(
                self.event_type
                if isinstance(self.event_type, str)
                else _take(self.event_type, chosen)
            ),
            severity=None if self.severity is None else self.severity[indices],
            amount=None if self.amount is None else self.amount[indices],
            attributes=self.attributes and [self.attributes[i] for i in chosen],
        )

    def types(self) -> list[str]:
        """Give the type of each event."""
        if isinstance(self.event_type, str):
            return [self.event_type] * len(self)
        return list(self.event_type)

    def _given(self) -> list[str]:
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


def _take(values: Sequence[str], indices: list[int]) -> list[str]:
    return [values[i] for i in indices]
