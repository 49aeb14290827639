import time
import uuid

from riskplatform.kernel.ids import uuid7


def test_is_a_version_7_uuid_of_the_rfc_variant() -> None:
    made = [uuid7() for _ in range(1_000)]
    assert {one.version for one in made} == {7}
    assert {one.variant for one in made} == {uuid.RFC_4122}
    assert len(set(made)) == 1_000


def test_begins_with_the_time_in_milliseconds() -> None:
    before = time.time_ns() // 1_000_000
    milliseconds = uuid7().int >> 80
    assert before <= milliseconds <= time.time_ns() // 1_000_000


def test_ids_of_one_process_ascend_within_a_millisecond() -> None:
    ids = [uuid7() for _ in range(10_000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert {(made.version, made.variant) for made in ids} == {(7, uuid.RFC_4122)}
