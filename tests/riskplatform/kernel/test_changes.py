import pytest
from django.db import transaction

from riskplatform.kernel import changes
from riskplatform.kernel.changes import publish_changes, subscribe


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[frozenset[str]]:
    monkeypatch.setattr(changes, "_subscribers", [])
    heard: list[frozenset[str]] = []
    subscribe(heard.append)
    return heard


@pytest.mark.django_db(transaction=True)
def test_subscribers_are_told_after_the_commit_only(told: list[frozenset[str]]) -> None:
    with transaction.atomic():
        publish_changes("portfolio:1", "forecast:chicago")
        assert told == []
    assert told == [frozenset({"portfolio:1", "forecast:chicago"})]


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_is_not_told(told: list[frozenset[str]]) -> None:
    with transaction.atomic():
        publish_changes("portfolio:1")
        transaction.set_rollback(True)
    assert told == []


@pytest.mark.django_db(transaction=True)
def test_a_subscriber_that_fails_spoils_neither_the_write_nor_the_others(
    told: list[frozenset[str]], caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: frozenset[str]) -> None:
        raise ZeroDivisionError

    changes._subscribers.insert(0, fail)
    publish_changes("model:1")
    assert told == [frozenset({"model:1"})]
    assert "a subscriber failed on model:1" in caplog.text
