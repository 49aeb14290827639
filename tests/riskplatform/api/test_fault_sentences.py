"""What is wrong with an input is said in a sentence, with what to write instead."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
import pytest
from django.test import RequestFactory
from msgspec import Meta, Struct
from rest_framework.request import Request

from riskplatform.api.fault_sentences import TIME
from riskplatform.api.inputs import decode_body, decode_query
from riskplatform.kernel.errors import FieldFault, InvalidInputError
from riskplatform.kernel.instants import AwareTime


class Part(Struct, forbid_unknown_fields=True):
    size: Annotated[float, Meta(gt=0)] = 1.0


class Order(Struct, forbid_unknown_fields=True):
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 100
    kind: Literal["plain", "fancy"] = "plain"
    at: AwareTime | None = None
    day: date | None = None
    id: UUID | None = None
    slug: Annotated[str, Meta(pattern="^[a-z]+$", description="A slug.")] = "a"
    parts: Annotated[list[Part], Meta(max_length=2)] = []


class Needy(Struct):
    name: str


def fault_of_body(text: str, kind: type[Struct] = Order) -> FieldFault:
    request = Request(RequestFactory().post("/", text, content_type="application/json"))
    with pytest.raises(InvalidInputError) as caught:
        decode_body(request, kind)
    return caught.value.faults[0]


def fault_of_query(text: str) -> FieldFault:
    with pytest.raises(InvalidInputError) as caught:
        decode_query(Request(RequestFactory().get(f"/?{text}")), Order)
    return caught.value.faults[0]


@pytest.mark.parametrize(
    ("text", "field", "reason"),
    [
        ('{"limit": 0}', ("limit",), "limit is at least 1."),
        ('{"limit": 2000}', ("limit",), "limit is at most 1000."),
        (
            '{"limit": "ten"}',
            ("limit",),
            "limit has to be a whole number such as 3, not a text.",
        ),
        ('{"kind": "odd"}', ("kind",), "kind is one of fancy, plain, not 'odd'."),
        (
            '{"at": "2026-11-23"}',
            ("at",),
            f"at is not a time: {TIME}.",
        ),
        ('{"day": "23.11."}', ("day",), "day has to be a day such as 2026-11-23."),
        (
            '{"slug": "A"}',
            ("slug",),
            "slug does not have the form ^[a-z]+$. A slug.",
        ),
        (
            '{"parts": [{"size": 0}]}',
            ("parts", "0", "size"),
            "parts[0].size is above 0.",
        ),
        ('{"parts": [{}, {}, {}]}', ("parts",), "parts has at most 2 entries."),
        (
            '{"parts": [{"seize": 1}]}',
            ("parts", "0", "seize"),
            "There is no field 'seize'. Did you mean size? There are size.",
        ),
        ("[]", (), "The body has to be an object, not a list."),
    ],
)
def test_a_body_is_told_what_is_wrong(
    text: str, field: tuple[str, ...], reason: str
) -> None:
    assert fault_of_body(text) == FieldFault(field, reason)


def test_a_body_may_be_absent_where_nothing_is_required() -> None:
    absent = Request(RequestFactory().post("/", b"", content_type="application/json"))
    assert decode_body(absent, Order) == Order()
    assert fault_of_body("{}", Needy).reason == "The body lacks the field 'name'."


def test_an_unknown_parameter_names_the_nearest() -> None:
    fault = fault_of_query("limitt=3")
    assert fault.field == "limitt"
    assert fault.reason.startswith(
        "There is no parameter 'limitt'. Did you mean limit? There are limit, kind,"
    )


def test_a_plus_that_arrived_as_a_blank_is_named() -> None:
    assert fault_of_query("at=2026-11-23T14:05:00+00:00").reason == (
        "at is not a time: write it with its offset from UTC, like"
        " 2026-11-23T14:05:00+01:00. In an address a plus sign is written %2B, as in"
        " %2B01:00."
    )


def test_the_format_is_no_parameter_of_a_query() -> None:
    query = Request(RequestFactory().get("/?format=json&limit=3"))
    assert decode_query(query, Order).limit == 3


def test_times_keep_their_meaning() -> None:
    query = Request(RequestFactory().get("/?at=2026-11-23T14:05:00%2B01:00"))
    assert decode_query(query, Order).at == datetime.fromisoformat(
        "2026-11-23T13:05:00Z"
    )
    assert msgspec.to_builtins(Order())["limit"] == 100
