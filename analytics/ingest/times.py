"""Times of events: ISO 8601 in, milliseconds since 1970 in UTC out."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from analytics.ingest.rules import MISSING_TIME, Fault, Faults, RowCode, bad_time
from analytics.store.clickhouse import to_milliseconds
from riskplatform.kernel.instants import EARLIEST

PLAIN_CHARS = len("2026-11-23T14:05:00")
PLAIN_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:Z|\+00:00)", re.ASCII
).fullmatch
EARLIEST_MS = to_milliseconds(EARLIEST)


class ParsedTimes(NamedTuple):
    """`occurred_ms` is 0 where there is a fault."""

    occurred_ms: NDArray[np.int64]
    faults: Faults
    ambiguous_count: int


def parse_times(
    texts: Sequence[str], *, latest: datetime, zone: ZoneInfo | None
) -> ParsedTimes:
    """Read times; those without an offset are local times of `zone`.

    Without a zone they are refused. A local time that the clocks skipped is
    refused; one that they showed twice is taken as the first of the two, and
    counted. A date alone is its midnight. Below a millisecond is cut off.
    """
    plain = _read_plain(texts, latest)
    if plain is not None:
        return ParsedTimes(plain, {}, 0)
    occurred = np.zeros(len(texts), dtype=np.int64)
    faults: Faults = {}
    ambiguous_count = 0
    for index, text in enumerate(texts):
        moment = _read(text)
        if isinstance(moment, datetime) and moment.tzinfo is None:
            moment, is_ambiguous = _localised(moment, zone)
            ambiguous_count += is_ambiguous
        if isinstance(moment, datetime):
            moment = _checked(moment, latest)
        if isinstance(moment, Fault):
            faults[index] = moment
        else:
            occurred[index] = to_milliseconds(moment)
    return ParsedTimes(occurred, faults, ambiguous_count)


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


def _read(text: str) -> datetime | Fault:
    if not text:
        return MISSING_TIME
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
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
    if before < after:
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
