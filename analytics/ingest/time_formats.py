"""Formats that times of files are declared in: text in, a moment out.

A format of strptime is read more strictly than `datetime.strptime` does where that
would guess (`%H%M` of 130 is 01:30, `%Y%m%d` has eight digits), and as people write:
parts need no leading zero, 24:00 is the next day, second 60 is the next minute, and a
year of two digits is never in the future.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import cache

from analytics.errors import ReadingOptionsError

Read = Callable[[str], datetime | None]

ISO = "iso"
DIRECTIVES = {
    "Y": r"(?P<Y>\d{4})",
    "y": r"(?P<y>\d{2})",
    "b": r"(?P<b>[A-Za-z]{3,9})\.?",
    "B": r"(?P<b>[A-Za-z]{3,9})\.?",
    "j": r"(?P<j>\d{3})",
    "f": r"(?P<f>\d{1,9})",
    "p": r"(?P<p>[AaPp]\.?[Mm]\.?)",
    "z": r"(?P<z>Z|[+-]\d\d:?(?:\d\d)?)",
    "Z": r"(?P<Z>[A-Za-z]{1,5}[+-]?\d{0,2})",
    "a": r"[A-Za-z]+\.?",
    "A": r"[A-Za-z]+\.?",
    "%": "%",
}
# Parts of one or two digits; of exactly two where they touch another number.
SHORT = "mdHIMS"
TOKEN = re.compile(r"%H%M(?:%S)?(?![%\d])|%(.)|(\s+)|(.)", re.DOTALL)
NUMERIC = f"{SHORT}Yyjf"
CLOCK = {"%H%M": r"(?P<clock>\d{1,4})", "%H%M%S": r"(?P<clock>\d{1,6})"}
FRACTION = r"(?:[.,](?P<f>\d+))?"
LOOSE_ISO = re.compile(
    r"(?P<Y>\d{4})(?P<mark>[-/.])(?P<m>\d{1,2})(?P=mark)(?P<d>\d{1,2})"
    r"(?:[Tt\s]\s*(?P<H>\d{1,2}):(?P<M>\d{1,2})(?::(?P<S>\d{1,2})(?:[.,](?P<f>\d+))?)?"
    r"\s*(?P<z>[Zz]|UTC|GMT|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
MONTHS = (
    *("jan", "feb", "mar", "apr", "may", "jun"),
    *("jul", "aug", "sep", "oct", "nov", "dec"),
)
# Zones as the files of American agencies name them, in hours.
ZONES = {
    "UTC": 0,
    "GMT": 0,
    "Z": 0,
    "AST": -4,
    "EST": -5,
    "EDT": -4,
    "CST": -6,
    "CDT": -5,
    "MST": -7,
    "MDT": -6,
    "PST": -8,
    "PDT": -7,
    "AKST": -9,
    "AKDT": -8,
    "HST": -10,
    "SST": -11,
}
NAMED_ZONE = re.compile(r"([A-Za-z]+)([+-]?\d{1,2})?")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001  # a spreadsheet knows no zone
NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE]\+?\d+)?", re.ASCII)
UNITS = {
    "epoch_s": (EPOCH, timedelta(seconds=1)),
    "epoch_ms": (EPOCH, timedelta(milliseconds=1)),
    "excel": (EXCEL_EPOCH, timedelta(days=1)),
}


@cache
def reader_of(time_format: str, latest: datetime) -> Read:
    """Give the function that reads a text in a format, or in the first that fits.

    `latest` is what a year of two digits is not after.
    """
    reads = [_reader_of(one, latest) for one in time_format.split("|")]
    if len(reads) == 1:
        return reads[0]

    def read_any(text: str) -> datetime | None:
        return next((it for read in reads if (it := read(text)) is not None), None)

    return read_any


def read_iso(text: str) -> datetime | None:
    """Read ISO 8601, also as people write it: `2001/3/4 5:06 UTC`."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return read_loose_iso(text)


def read_loose_iso(text: str) -> datetime | None:
    match = LOOSE_ISO.fullmatch(text)
    return None if match is None else _moment(match.groupdict())


def _reader_of(time_format: str, latest: datetime) -> Read:
    if time_format == ISO:
        return read_iso
    if time_format in UNITS:
        return lambda text: _counted(text, *UNITS[time_format])
    if "%" not in time_format:
        raise ReadingOptionsError(
            f"{time_format!r} is not a format of times. Use {ISO}, {', '.join(UNITS)}"
            " or a format like '%d/%m/%Y %H:%M:%S'."
        )
    pattern = _compiled(time_format)

    def read(text: str) -> datetime | None:
        match = pattern.fullmatch(text)
        return None if match is None else _moment(match.groupdict(), latest)

    return read


def _counted(text: str, start: datetime, unit: timedelta) -> datetime | None:
    if NUMBER.fullmatch(text) is None:
        return None
    try:
        whole = int(text) if text.lstrip("+-").isdecimal() else float(text)
        return start + whole * unit
    except (OverflowError, ValueError):
        return None  # beyond the calendar, or of thousands of digits


def _compiled(time_format: str) -> re.Pattern[str]:
    parts: list[str] = []
    tokens = list(TOKEN.finditer(time_format))
    for index, token in enumerate(tokens):
        near = [tokens[i] for i in (index - 1, index + 1) if 0 <= i < len(tokens)]
        touches = any(it[1] and it[1] in NUMERIC for it in near)
        parts.append(_part(token, touches_number=touches, time_format=time_format))
    has_fraction = "%f" in time_format or not time_format.endswith("%S")
    try:
        return re.compile("".join(parts) + ("" if has_fraction else FRACTION), re.ASCII)
    except re.error:
        raise ReadingOptionsError(
            f"The time format {time_format!r} names a part twice."
        ) from None


def _part(token: re.Match[str], *, touches_number: bool, time_format: str) -> str:
    whole, directive = token[0], token[1]
    if whole in CLOCK and not touches_number:
        return CLOCK[whole]
    if directive is None:
        is_clock = whole in CLOCK
        parts = (rf"(?P<{name}>\d\d)" for name in whole if name in SHORT)
        return (
            "".join(parts) if is_clock else (r"\s+" if token[2] else re.escape(whole))
        )
    if directive in SHORT:
        return rf"(?P<{directive}>\d{{{2 if touches_number else '1,2'}}})"
    if directive not in DIRECTIVES:
        known = " ".join(f"%{name}" for name in (*DIRECTIVES, *SHORT))
        raise ReadingOptionsError(
            f"The time format {time_format!r} has %{directive}. Known are {known}."
        )
    return DIRECTIVES[directive]


def _moment(
    parts: dict[str, str | None], latest: datetime | None = None
) -> datetime | None:
    """Put the parts of a time together; none where they are no time."""
    month = _month_of(parts)
    hour = _hour_of(parts)
    second = int(parts.get("S") or 0)
    minute = int(parts.get("M") or 0)
    if clock := parts.get("clock"):
        digits = clock.zfill(4 if len(clock) <= 4 else 6)
        hour, minute, second = int(digits[:2]), int(digits[2:4]), int(digits[4:] or 0)
    later = timedelta()
    if second == 60:
        second, later = 59, timedelta(seconds=1)
    elif hour == 24 and not minute and not second:
        hour, later = 0, timedelta(days=1)
    fraction = (parts.get("f") or "0")[:6].ljust(6, "0")
    year, day = _year_of(parts), int(parts.get("d") or 1)
    try:
        zone = _zone_of(parts)
        clock_time = (hour, minute, second, int(fraction))
        moment = datetime(year, month, day, *clock_time, tzinfo=zone) + later
        if parts.get("j"):
            moment += timedelta(days=int(parts["j"] or 1) - 1)
    except (ValueError, OverflowError):
        return None
    return _in_the_past(moment, latest) if parts.get("y") else moment


def _year_of(parts: dict[str, str | None]) -> int:
    return int(parts.get("Y") or 2_000 + int(parts.get("y") or 0))


def _month_of(parts: dict[str, str | None]) -> int:
    name = (parts.get("b") or "")[:3].lower()
    if name:
        return MONTHS.index(name) + 1 if name in MONTHS else 0
    return int(parts.get("m") or 1)


def _hour_of(parts: dict[str, str | None]) -> int:
    """Give the hour; 12 AM is midnight, and 13 PM is none."""
    if (half := parts.get("p")) is None:
        return int(parts.get("H") or parts.get("I") or 0)
    hour = int(parts.get("I") or parts.get("H") or 0)
    if not 1 <= hour <= 12:
        return -1
    return hour % 12 + (12 if half[0] in "pP" else 0)


def _zone_of(parts: dict[str, str | None]) -> timezone | None:
    offset, name = parts.get("z"), parts.get("Z")
    if name is not None and (match := NAMED_ZONE.fullmatch(name)) is not None:
        hours = match[2] or ZONES.get(match[1].upper())
        if hours is None:
            raise ValueError(name)
        return timezone(timedelta(hours=int(hours)))
    if offset is None:
        return None
    if offset[0] not in "+-":
        return UTC
    digits = offset[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))


def _in_the_past(moment: datetime, latest: datetime | None) -> datetime | None:
    if latest is None:
        return moment
    end = latest if moment.tzinfo else latest.replace(tzinfo=None)
    try:
        return moment.replace(year=moment.year - 100) if moment > end else moment
    except ValueError:
        return None  # 29 February of a century that has none
