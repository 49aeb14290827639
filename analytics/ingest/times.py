"""Times of events: texts in, milliseconds since 1970 in UTC out."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from analytics.ingest.rules import MISSING_TIME, Fault, Faults, RowCode, bad_time
from analytics.ingest.time_formats import ISO, Read, read_iso, reader_of
from analytics.store.clickhouse import to_milliseconds
from riskplatform.kernel.instants import EARLIEST

PLAIN_CHARS = len("2026-11-23T14:05:00")
PLAIN_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:Z|\+00:00)", re.ASCII
).fullmatch
MIDNIGHT = time()
EARLIEST_MS = to_milliseconds(EARLIEST)


class ParsedTimes(NamedTuple):
    """Both times are 0 where there is a fault; naive times had no offset.

    `local_ms` are the times as the clocks showed them that wrote the file.
    """

    occurred_ms: NDArray[np.int64]
    local_ms: NDArray[np.int64]
    faults: Faults
    ambiguous_count: int = 0
    naive_count: int = 0


def parse_times(
    texts: Sequence[str],
    *,
    latest: datetime,
    zone: ZoneInfo | None,
    time_format: str = "",
    is_lenient: bool = False,
) -> ParsedTimes:
    """Read times; those without an offset are local times of `zone`.

    Without a zone they are refused. A local time that the clocks skipped is
    refused; one that they showed twice is taken as the first of the two, and
    counted. A date alone is its midnight, or when the day began where the clocks
    skipped that. Below a millisecond is cut off. A format is one of `time_formats`.
    """
    is_iso = time_format in {"", ISO}
    plain = _read_plain(texts, latest) if is_iso else None
    if plain is not None:
        return ParsedTimes(plain, plain, {})
    read = _reader(time_format, latest, is_lenient=is_lenient)
    occurred = np.zeros(len(texts), dtype=np.int64)
    local = occurred.copy()
    faults: Faults = {}
    ambiguous_count = naive_count = 0
    for index, text in enumerate(texts):
        shown = moment = _read(text, read)
        if isinstance(moment, datetime) and moment.tzinfo is None:
            naive_count += 1
            moment, is_ambiguous = _localised(moment, zone)
            ambiguous_count += is_ambiguous
        if isinstance(moment, datetime):
            moment = _checked(moment, latest)
        if isinstance(moment, Fault):
            faults[index] = moment
        elif isinstance(shown, datetime):
            occurred[index] = to_milliseconds(moment)
            local[index] = to_milliseconds(shown.replace(tzinfo=UTC))
    return ParsedTimes(occurred, local, faults, ambiguous_count, naive_count)


def _reader(time_format: str, latest: datetime, *, is_lenient: bool) -> Read:
    if time_format:
        return reader_of(time_format, latest)
    return read_iso if is_lenient else _read_strict


def _read_strict(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _read_plain(texts: Sequence[str], latest: datetime) -> NDArray[np.int64] | None:
    """Read all at once when all are whole seconds of UTC in bounds; else none."""
    if not texts or not all(PLAIN_TIME(text) for text in texts):
        return None
    try:
        plain = [text[:PLAIN_CHARS] for text in texts]
        moments = np.array(plain, dtype="datetime64[ms]")
    except ValueError:
        return None
    occurred: NDArray[np.int64] = moments.astype(np.int64)
    latest_ms = to_milliseconds(latest)
    is_plain = occurred.min() >= EARLIEST_MS and occurred.max() <= latest_ms
    return occurred if is_plain else None


def _read(text: str, read: Read) -> datetime | Fault:
    if not text:
        return MISSING_TIME
    moment = read(text)
    if moment is None:
        return bad_time(text)
    # Any offset can be taken off a year within this without leaving the calendar.
    return _too_early(moment) if moment.year < 1800 else moment


def _localised(
    moment: datetime, zone: ZoneInfo | None
) -> tuple[datetime | Fault, bool]:
    """Give the moment in UTC, and whether its local time was there twice."""
    if zone is None:
        naive = Fault(
            RowCode.NAIVE_TIME,
            f"the time {moment.isoformat()} has no offset from UTC. Write it"
            " like 2026-11-23T14:05:00+01:00; a file may be imported with the zone of"
            " its times.",
        )
        return naive, False
    local = moment.replace(tzinfo=zone)
    # The offsets before and after differ where clocks were changed.
    before = local.utcoffset() or timedelta()
    after = local.replace(fold=1).utcoffset() or timedelta()
    # No clock showed a midnight that was skipped: it is a date, and the day began when
    # they were set.
    if before < after and moment.time() != MIDNIGHT:
        skipped = Fault(
            RowCode.NONEXISTENT_TIME,
            f"the clocks of {zone.key} skipped {moment.isoformat()}."
            " Add its offset from UTC to the time.",
        )
        return skipped, False
    try:
        return (moment - before).replace(tzinfo=UTC), before > after
    except OverflowError:
        return moment.replace(tzinfo=UTC), False


def _checked(moment: datetime, latest: datetime) -> datetime | Fault:
    if moment > latest:
        return Fault(
            RowCode.FUTURE_TIME,
            f"{moment.isoformat()} is in the future. Events are what has happened.",
        )
    return _too_early(moment) if moment < EARLIEST else moment


def _too_early(moment: datetime) -> Fault:
    return Fault(
        RowCode.TIME_OUT_OF_RANGE,
        f"{moment.isoformat()} is before the year 1900, which cannot be stored.",
    )
