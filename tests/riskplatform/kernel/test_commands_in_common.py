"""Options that several commands have read what people type, or say what is wrong."""

from argparse import ArgumentTypeError
from datetime import UTC, date, datetime

import pytest
from django.core.management import CommandError

from riskplatform.kernel.commands import confirm, read_day, read_moment


def test_days_and_moments_are_read() -> None:
    assert read_day("2024-01-31") == date(2024, 1, 31)
    assert read_moment("2024-01-31") == datetime(2024, 1, 31, tzinfo=UTC)
    assert read_moment("2024-01-31T13:00:00+01:00") == datetime(
        2024, 1, 31, 12, tzinfo=UTC
    )


@pytest.mark.parametrize("read", [read_day, read_moment])
@pytest.mark.parametrize(
    ("text", "reason"), [("2023-13-01", "month"), ("yesterday", "Write 2024-01-31")]
)
def test_what_is_none_says_why(read: object, text: str, reason: str) -> None:
    assert callable(read)
    with pytest.raises(ArgumentTypeError, match=f"not a .*{reason}"):
        read(text)


def test_what_deletes_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    confirm("This deletes all.", is_confirmed=True)
    with pytest.raises(CommandError, match=r"deletes all\. Repeat it with --yes"):
        confirm("This deletes all.", is_confirmed=False)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: "y")
    confirm("This deletes all.", is_confirmed=False)
    monkeypatch.setattr("builtins.input", lambda _: "")
    with pytest.raises(CommandError, match="Nothing was changed"):
        confirm("This deletes all.", is_confirmed=False)
