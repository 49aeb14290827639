"""What the events of a file look like as a whole, counted while it is read.

Memory is the same for any file: days since 1900, and squares of a degree.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from analytics.store.clickhouse import to_milliseconds
from riskplatform.kernel.instants import EARLIEST

DAY_MS = 86_400_000
EARLIEST_DAY = to_milliseconds(EARLIEST) // DAY_MS
DAYS = 366 * 200
ROWS_OF_SQUARES, COLUMNS_OF_SQUARES = 181, 361
MAX_OUTLIER_SHARE = 0.02
MIN_EVENTS = 8
ONE_DAY_SHARE = 0.5
MIN_TIME_GAP_DAYS = 365
MIN_PLACE_GAP_DEG = 5
MIDNIGHT_SHARE = 0.1

Counts = NDArray[np.int64]


def _days() -> Counts:
    return np.zeros(DAYS, dtype=np.int64)


def _squares() -> Counts:
    return np.zeros((ROWS_OF_SQUARES, COLUMNS_OF_SQUARES), dtype=np.int64)


@dataclass(slots=True, kw_only=True)
class Survey:
    """Counts of good events by day and by square; `midnights` are those at 0:00.

    `extent` is south, west, north, east in degrees.
    """

    count: int = 0
    midnights: int = 0
    days: Counts = field(default_factory=_days)
    squares: Counts = field(default_factory=_squares)
    extent: tuple[float, float, float, float] | None = None

    def add(
        self,
        local_ms: NDArray[np.int64],
        lat: NDArray[np.float64],
        lon: NDArray[np.float64],
    ) -> None:
        """Count events by their times, as the clocks of the file showed them."""
        if not local_ms.size:
            return
        self.count += local_ms.size
        self.midnights += int((local_ms % DAY_MS == 0).sum())
        days = np.clip(local_ms // DAY_MS - EARLIEST_DAY, 0, DAYS - 1)
        self.days += np.bincount(days, minlength=DAYS)
        square = (np.floor(lat) + 90) * COLUMNS_OF_SQUARES + np.floor(lon) + 180
        counts = np.bincount(square.astype(np.int64), minlength=self.squares.size)
        self.squares += counts.reshape(self.squares.shape)
        box = (lat.min(), lon.min(), lat.max(), lon.max())
        south, west, north, east = map(float, box)
        if self.extent is not None:
            south, west = min(south, self.extent[0]), min(west, self.extent[1])
            north, east = max(north, self.extent[2]), max(east, self.extent[3])
        self.extent = south, west, north, east

    @property
    def midnight_share(self) -> float:
        return self.midnights / max(self.count, 1)

    def oddities(self) -> list[str]:
        """Name what looks wrong, with counts and the option that leaves it out."""
        if self.count < MIN_EVENTS:
            return []
        return [*self._odd_times(), *self._one_day(), *self._odd_places()]

    def _odd_times(self) -> Iterator[str]:
        found = _outliers(self.days, self.count, min_gap=MIN_TIME_GAP_DAYS)
        if found is None:
            return
        first, last, before, after = found
        if before:
            yield (
                f"{before:,} of {self.count:,} events are more than a year older than"
                f" the others, which begin on {_date(first)}: placeholders, or another"
                f" history. --since {_date(first)} leaves them out."
            )
        if after:
            yield (
                f"{after:,} of {self.count:,} events are more than a year younger than"
                f" the others, which end on {_date(last)}."
            )

    def _one_day(self) -> Iterator[str]:
        day = int(self.days.argmax())
        count = int(self.days[day])
        if count > ONE_DAY_SHARE * self.count:
            yield (
                f"{count:,} of {self.count:,} events are on one day, {_date(day)}."
                " Is that column the time at which they happened?"
            )

    def _odd_places(self) -> Iterator[str]:
        boxes = [self.squares.sum(axis=axis) for axis in (1, 0)]
        spans = [_outliers(box, self.count, min_gap=MIN_PLACE_GAP_DEG) for box in boxes]
        if spans == [None, None]:
            return
        south, north, west, east = [
            int(edge)
            for span, box in zip(spans, boxes, strict=True)
            for edge in (span[:2] if span else np.flatnonzero(box)[[0, -1]])
        ]
        inside = int(self.squares[south : north + 1, west : east + 1].sum())
        within = f"{west - 180},{south - 90},{east - 179},{north - 89}"
        yield (
            f"{self.count - inside:,} of {self.count:,} events lie far from the others."
            f" --within={within} leaves them out."
        )


def _outliers(
    counts: Counts, total: int, *, min_gap: int
) -> tuple[int, int, int, int] | None:
    """Find few values at an end beyond a wide gap: `first, last, before, after`.

    The gap is as wide as `min_gap`, and as half of what is kept.
    """
    used = np.flatnonzero(counts)
    cumulated = np.cumsum(counts[used])
    limit = max(MAX_OUTLIER_SHARE * total, 1)
    gaps = np.diff(used)
    first, last = 0, used.size - 1
    for index in np.flatnonzero(gaps > min_gap):
        is_few_before = cumulated[index] <= limit
        is_few_after = total - cumulated[index] <= limit
        if is_few_before:
            first = int(index) + 1
        elif is_few_after:
            last = min(last, int(index))
    kept = used[last] - used[first] + 1
    before = int(cumulated[first - 1]) if first else 0
    after = int(total - cumulated[last])
    if first and gaps[first - 1] < kept / 2:
        first, before = 0, 0
    if after and gaps[last] < kept / 2:
        last, after = used.size - 1, 0
    if not before and not after:
        return None
    return int(used[first]), int(used[last]), before, after


def _date(day: int) -> str:
    start = datetime(EARLIEST.year, EARLIEST.month, EARLIEST.day, tzinfo=UTC)
    return f"{start + timedelta(days=day):%Y-%m-%d}"
