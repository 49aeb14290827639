"""Chunks of rows parted into events and faults, none lost and none mixed up."""

from hypothesis import given
from hypothesis import strategies as st

from analytics.ingest.column_map import ColumnMap
from analytics.ingest.rules import RowCode
from analytics.ingest.validation import RowRules, validate_rows
from tests.support.chicago import BOUNDS, NOW

HEADER = ["time", "lat", "lon", "kind", "severity", "note"]
COLUMNS = {"occurred_at": 0, "lat": 1, "lon": 2, "event_type": 3, "severity": 4}
RULES = RowRules(
    column_map=ColumnMap.parse(
        "occurred_at=time,lat=lat,lon=lon,event_type=kind,severity=severity"
    ),
    latest=NOW,
    bounds=BOUNDS,
)
GOOD = ["2022-01-01T00:00:00Z", "41.8", "-87.6", "theft", "1.5", "x"]
BAD = {
    0: RowCode.BAD_TIME,
    1: RowCode.BAD_NUMBER,
    2: RowCode.BAD_NUMBER,
    4: RowCode.BAD_NUMBER,
}
spoilt = st.one_of(st.none(), st.sampled_from(sorted(BAD)))


def make_row(number: int, spoilt_column: int | None) -> list[str]:
    row = [*GOOD[:4], str(number), "x"]
    if spoilt_column is not None:
        row[spoilt_column] = "?"
    return row


@given(st.lists(spoilt, max_size=40))
def test_good_rows_become_events_in_order_and_bad_ones_faults(
    plan: list[int | None],
) -> None:
    rows = [make_row(number, column) for number, column in enumerate(plan)]

    verdict = validate_rows(rows, columns=COLUMNS, rules=RULES)

    good = [number for number, column in enumerate(plan) if column is None]
    assert verdict.places.tolist() == good
    assert verdict.events.severity is not None
    assert verdict.events.severity.tolist() == good
    assert {place: fault.code for place, (_field, fault) in verdict.faults.items()} == {
        number: BAD[column] for number, column in enumerate(plan) if column is not None
    }


def test_first_fault_of_a_row_is_the_one_that_is_told() -> None:
    row = ["?", "?", "-187", "", "nan", "x"]

    verdict = validate_rows([row], columns=COLUMNS, rules=RULES)

    assert len(verdict.events) == 0
    ((field, fault),) = verdict.faults.values()
    assert (field, fault.code) == ("occurred_at", RowCode.BAD_TIME)


def test_surrounding_blanks_are_no_part_of_a_value() -> None:
    row = [f" {value}\t" for value in GOOD]

    verdict = validate_rows([row], columns=COLUMNS, rules=RULES)

    assert verdict.faults == {}
    assert verdict.events.types() == ["theft"]
    assert verdict.events.lat.tolist() == [41.8]
