import pytest
from django.db import transaction

from riskplatform.kernel import changes
from riskplatform.kernel.changes import announce, listen


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[frozenset[str]]:
    monkeypatch.setattr(changes, "_listeners", [])
    heard: list[frozenset[str]] = []
    listen(heard.append)
    return heard


@pytest.mark.django_db(transaction=True)
def test_listeners_are_told_after_the_commit_only(told: list[frozenset[str]]) -> None:
    with transaction.atomic():
        announce("portfolio:1", "forecast:chicago")
        assert told == []
    assert told == [frozenset({"portfolio:1", "forecast:chicago"})]


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_is_not_told(told: list[frozenset[str]]) -> None:
    with transaction.atomic():
        announce("portfolio:1")
        transaction.set_rollback(True)
    assert told == []


@pytest.mark.django_db(transaction=True)
def test_a_listener_that_fails_spoils_neither_the_write_nor_the_others(
    told: list[frozenset[str]], caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: frozenset[str]) -> None:
        raise ZeroDivisionError

    changes._listeners.insert(0, fail)
    announce("model:1")
    assert told == [frozenset({"model:1"})]
    assert "a listener failed on model:1" in caplog.text
