"""Which option would read what was refused: said where exactly one would."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import product
from typing import NamedTuple

from analytics.ingest.report import ImportReport
from analytics.ingest.rules import RowCode
from analytics.ingest.time_formats import reader_of

MAX_SAMPLES = 1_000
DATES = (
    *("%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y", "%d/%m/%y", "%d.%m.%Y", "%d.%m.%y"),
    *("%d-%m-%Y", "%m-%d-%Y", "%d-%b-%y", "%d-%b-%Y", "%d %b %Y", "%b %d, %Y"),
    *("%b %d %Y", "%Y%m%d", "%Y %m %d"),
)
CLOCKS = (
    *("", " %H:%M:%S", " %H:%M", " %I:%M:%S %p", " %I:%M %p", " %H%M", ", %H:%M:%S"),
    *("%H%M%S", "T%H:%M:%S", " %H:%M:%S %Z", " %H %M"),
)
# Numbers that stand for times between about 1973 and 2286, or 1927 and 2064.
COUNTED = {
    "epoch_s": re.compile(r"-?\d{9,10}(?:\.\d+)?"),
    "epoch_ms": re.compile(r"-?\d{12,13}"),
    "excel": re.compile(r"[1-5]\d{4}(?:\.\d+)?"),
}
DECIMAL_COMMA = re.compile(r"[+-]?\d{1,3}(?:\.?\d{3})*,\d{1,15}").fullmatch
THOUSANDS = {
    ",": re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?").fullmatch,
    " ": re.compile(r"[+-]?\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?:[.,]\d+)?").fullmatch,
}


class Suggestion(NamedTuple):
    """A sentence, and the words to type where there is no doubt."""

    text: str
    words: tuple[str, ...] = ()


def suggest(report: ImportReport, *, latest: datetime) -> None:
    """Write into the report what to type, after looking at refused values."""
    for suggestion in _suggestions(report, latest):
        report.suggestions.append(suggestion.text)
        report.fitting += suggestion.words


def _suggestions(report: ImportReport, latest: datetime) -> Iterator[Suggestion]:
    yield from _about_times(_values(report, RowCode.BAD_TIME), latest)
    yield from _about_numbers(_values(report, RowCode.BAD_NUMBER))
    codes = report.rejected_by_code
    if count := codes.get(RowCode.NULL_ISLAND):
        yield Suggestion(
            f"{count:,} rows lie at 0, 0; --allow-null-island takes them as they are."
        )
    if codes.get(RowCode.SWAPPED_COORDINATES, 0) > report.accepted:
        yield Suggestion(
            "Latitude and longitude look exchanged: exchange lat and lon in --map."
        )


def formats_that_fit(texts: Sequence[str], latest: datetime) -> list[str]:
    """Give the known formats that all of these texts have."""
    if not texts:
        return []
    counted = [
        name for name, form in COUNTED.items() if all(map(form.fullmatch, texts))
    ]
    if counted:
        return counted
    found = []
    for date, clock in product(DATES, CLOCKS):
        read = reader_of(date + clock, latest)
        # Most formats fail at the first text.
        if all(_is_past(read(text), latest) for text in texts):
            found.append(date + clock)
    return found


def _is_past(moment: datetime | None, latest: datetime) -> bool:
    if moment is None or moment.year < 1900:
        return False
    return moment.replace(tzinfo=None) <= latest.replace(tzinfo=None)


def _values(report: ImportReport, code: RowCode) -> list[str]:
    listed = [*report.rejected, *report.emptied]
    values = [it.value for it in listed if it.code is code and it.value]
    return values[:MAX_SAMPLES]


def _about_times(texts: Sequence[str], latest: datetime) -> Iterator[Suggestion]:
    # A unit row or a stray word does not hide what the others are.
    dated = [text for text in texts if re.search(r"\d", text)]
    found = formats_that_fit(dated, latest)
    if len(found) == 1:
        yield _that_fits("times", "--time-format", found[0])
    elif found:
        listed = "' or '".join(found[:4])
        yield Suggestion(
            f"The times that were refused fit --time-format '{listed}': say which."
        )


def _about_numbers(texts: Sequence[str]) -> Iterator[Suggestion]:
    numbers = [text for text in texts if re.search(r"\d", text)]
    if not numbers:
        return
    for sign, form in THOUSANDS.items():
        if all(map(form, numbers)) and any(len(it) > 7 or "." in it for it in numbers):
            yield _that_fits("numbers", "--thousands", sign)
            return
    if all(map(DECIMAL_COMMA, numbers)):
        yield _that_fits("numbers", "--decimal", ",")


def _that_fits(what: str, option: str, value: str) -> Suggestion:
    text = f"The {what} that were refused fit {option} '{value}'."
    return Suggestion(text, (option, value))
