"""Column maps as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.errors import ColumnMapError
from analytics.ingest.column_map import OPTIONAL, REQUIRED, ColumnMap

one_line = st.text(
    st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=12
).filter(lambda text: text.strip() == text)


@given(
    required=st.tuples(one_line, one_line, one_line),
    optional=st.dictionaries(st.sampled_from(OPTIONAL), one_line),
    attributes=st.dictionaries(
        st.text("abcdefg_", min_size=1, max_size=8), one_line, max_size=3
    ),
)
def test_written_map_reads_back_the_same(
    required: tuple[str, str, str],
    optional: dict[str, str],
    attributes: dict[str, str],
) -> None:
    columns = dict(zip(REQUIRED, required, strict=True)) | optional
    columns |= {f"attributes.{name}": column for name, column in attributes.items()}
    column_map = ColumnMap(columns=columns)

    assert ColumnMap.parse(str(column_map)) == column_map


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    try:
        column_map = ColumnMap.parse(text)
    except ColumnMapError as error:
        told = error.message
    else:
        told = f"{', '.join(column_map.columns)}."
        assert set(REQUIRED) <= set(column_map.columns)
    assert told.endswith(".")


def test_equals_takes_a_column_and_colon_a_constant() -> None:
    column_map = ColumnMap.parse(
        'occurred_at = T, lat=Y, lon=X, event_type:gun shot, "attributes.by:a,b"'
    )

    assert column_map.columns == {"occurred_at": "T", "lat": "Y", "lon": "X"}
    assert column_map.constants == {
        "event_type": "gun shot",
        "attributes.by": "a,b",
    }
    assert column_map.attribute_constants == {"by": "a,b"}


def test_column_names_may_hold_the_marks_of_a_map() -> None:
    column_map = ColumnMap.parse("occurred_at=a:b=c,lat=Y,lon=X")

    assert column_map.columns["occurred_at"] == "a:b=c"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "occurred_at=T,lat=Y",
            (
                "The column map lacks lon."
                " It needs at least something like occurred_at=time,lat=Y,lon=X."
            ),
        ),
        (
            "occurred_at=T,lat=Y,lon=X,lat=Z",
            "The column map gives lat twice.",
        ),
        (
            "occurred_at=T,lat=Y,lon=X,when=T",
            (
                "'when' is not a field of an event. Use occurred_at, lat, lon,"
                " event_type, severity, amount, external_id or attributes.NAME."
            ),
        ),
        (
            "occurred_at=T,lat=Y,lon=",
            "The column map gives nothing for lon.",
        ),
        (
            "T,Y,X",
            (
                "'T' in the column map is neither field=column nor field:constant."
                " Write it like occurred_at=time,lat=Y,lon=X."
            ),
        ),
        (
            "occurred_at=T,lat:41,lon=X",
            (
                "lat cannot be a constant here: only event_type and attributes can,"
                " and each of them is given once."
            ),
        ),
    ],
)
def test_bad_map_is_refused_with_what_to_do(text: str, message: str) -> None:
    with pytest.raises(ColumnMapError) as caught:
        ColumnMap.parse(text)

    assert caught.value.message == message
