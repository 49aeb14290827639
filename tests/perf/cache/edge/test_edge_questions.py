"""Two requests share an answer only if no view could tell them apart."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perf.cache.edge.request_key import canonical_body, shared_key, sorted_query

NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


def reordered(document: Any) -> Any:
    """Turn the order of names around, all the way down."""
    if isinstance(document, dict):
        return {name: reordered(document[name]) for name in reversed(document)}
    if isinstance(document, list):
        return [reordered(item) for item in document]
    return document


@given(DOCUMENTS)
def test_spacing_and_order_do_not_count(document: Any) -> None:
    plain = json.dumps(document).encode()
    other = json.dumps(reordered(document), indent=1, ensure_ascii=False)
    assert canonical_body(plain) == canonical_body(other.encode("utf-8", "replace"))


@given(DOCUMENTS, DOCUMENTS)
def test_different_documents_stay_apart(one: Any, other: Any) -> None:
    bodies = [json.dumps(document).encode() for document in (one, other)]
    decoded = [msgspec.json.decode(body) for body in bodies]
    if canonical_body(bodies[0]) == canonical_body(bodies[1]):
        assert decoded[0] == decoded[1]


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":2}',
        b"NaN",
        b"[1e999, Infinity]",
        b"\xff\xfe",
        '{"a":1}'.encode("utf-16"),
        b"\xef\xbb\xbf{}",
        b'{"a":01}',
        b"[" * 100_000,
        b"",
    ],
)
def test_what_is_not_plain_json_stands_for_itself(body: bytes) -> None:
    assert canonical_body(body) == b"r" + body


@pytest.mark.parametrize(
    ("one", "other"), [(b"1", b"1.0"), (b'"1"', b"1"), (b"1e2", b"100"), (b"0", b"-0")]
)
def test_numbers_keep_their_digits(one: bytes, other: bytes) -> None:
    assert canonical_body(one) != canonical_body(other)


@given(st.lists(st.text(max_size=4), max_size=4), st.lists(st.text(max_size=4)))
def test_keys_are_equal_only_for_equal_parts(one: list[str], other: list[str]) -> None:
    same = shared_key(tuple(one)) == shared_key(tuple(other))
    assert same == (one == other)


def test_a_query_is_the_same_in_any_order() -> None:
    assert sorted_query("b=2&a=1&b=1") == "a=1&b=1&b=2"
