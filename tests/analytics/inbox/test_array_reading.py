"""Arrays of events are read in parts, and every member once, whatever it holds."""

import json
from typing import Any

import pytest

from analytics.inbox import array_reading
from analytics.inbox.array_reading import parts_of_array

EVENT = {"external_id": "a", "attributes": {"brackets": "},{", "quote": '\\"},{"'}}


@pytest.mark.parametrize("part_bytes", [1, 7, 50, 1 << 20])
@pytest.mark.parametrize("separators", [(",", ":"), (" , ", " : ")])
@pytest.mark.parametrize(
    "members",
    [
        [],
        [1] * 500,
        [EVENT] * 50,
        [[{"a": 1}, {"b": [2, {}]}]] * 50,
        ["],[", "},{", "\\", '"'] * 50,
        [EVENT, 3, [EVENT, EVENT], None, {}] * 20,
    ],
)
def test_the_parts_hold_every_member_in_order(
    members: list[Any],
    separators: tuple[str, str],
    part_bytes: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(array_reading, "PART_BYTES", part_bytes)
    body = f" {json.dumps(members, separators=separators)}\n".encode()
    parts = [json.loads(part) for part in parts_of_array(body)]
    assert [member for part in parts for member in part] == members


def test_a_part_has_about_as_many_bytes_as_it_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(array_reading, "PART_BYTES", 100)
    for members in ([1] * 1_000, [{"external_id": "abc"}] * 100):
        body = json.dumps(members, separators=(",", ":")).encode()
        assert max(map(len, parts_of_array(body))) < 200
