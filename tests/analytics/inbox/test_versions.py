"""What was accepted and comes again, in whatever order, changes nothing any more."""

from collections import defaultdict
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from analytics.inbox.event_values import NO_VALUES, digest_of
from analytics.inbox.validation import ValidEvent
from analytics.inbox.versions import Version, compare_versions

Histories = dict[str, list[Version]]


def make_event(external_id: str, value: int | None) -> ValidEvent:
    """Make an event that says `value`, or a retraction."""
    values = NO_VALUES if value is None else (value, 0.0, 0.0, "", None, None, "")
    return ValidEvent(
        row_index=0,
        source="api",
        external_id=external_id,
        is_retracted=value is None,
        region="" if value is None else "chicago",
        is_placed=True,
        cell=value or 0,
        values=values,
    )


rows = st.builds(make_event, st.sampled_from("ab"), st.none() | st.integers(1, 3))
bodies = st.lists(st.lists(rows, max_size=6), max_size=5)


def play(bodies: list[list[ValidEvent]], histories: Histories) -> list[ValidEvent]:
    """Send bodies one after the other; give the rows that were accepted."""
    accepted: list[ValidEvent] = []
    for number, body in enumerate(bodies):
        outcome = compare_versions(body, histories, received_ms=1_000 + number % 2)
        for new in outcome.accepted:
            histories[new.event.external_id].append(new.version)
        judged = len(outcome.accepted) + len(outcome.refused) + outcome.duplicate_count
        assert judged == len(body)
        accepted += [new.event for new in outcome.accepted]
    return accepted


@given(bodies, st.randoms(use_true_random=False))
def test_what_was_accepted_is_not_accepted_again_in_any_order(
    sent: list[list[ValidEvent]], chance: Random
) -> None:
    histories: Histories = defaultdict(list)
    again = play(sent, histories)
    chance.shuffle(again)

    assert play([again], histories) == []


@given(bodies, bodies)
def test_pruned_versions_tell_the_same_apart(
    earlier: list[list[ValidEvent]], later: list[list[ValidEvent]]
) -> None:
    whole: Histories = defaultdict(list)
    play(earlier, whole)
    pruned = defaultdict(
        list, {name: list(map(prune, it)) for name, it in whole.items()}
    )

    assert play(later, pruned) == play(later, whole)
    for name, history in whole.items():
        assert [it.place for it in pruned[name]] == [it.place for it in history]


def prune(version: Version) -> Version:
    assert not isinstance(version.values, bytes)
    return version._replace(values=digest_of(version.values))


@given(bodies)
def test_versions_rise_and_nothing_follows_a_retraction(
    sent: list[list[ValidEvent]],
) -> None:
    histories: Histories = defaultdict(list)
    play(sent, histories)

    for history in histories.values():
        numbers = [version.number for version in history]
        assert numbers == sorted(set(numbers))
        assert not any(version.is_retracted for version in history[:-1])
        assert len({version.received_ms for version in history}) == 1
