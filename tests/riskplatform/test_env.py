from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from riskplatform.env import (
    EnvError,
    env_bool,
    env_choice,
    env_int,
    env_list,
    env_secret,
    env_str,
)


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("Yes", True), ("off", False), ("FALSE", False)]
)
def test_reads_a_yes_or_a_no(
    text: str, value: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SETTING", text)
    assert env_bool("SETTING", default=not value) is value


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("maybe", lambda: env_bool("SETTING", default=True)),
        ("3.5", lambda: env_int("SETTING", 1)),
        ("-1", lambda: env_int("SETTING", 1)),
        ("prod", lambda: env_choice("SETTING", "a", frozenset({"a", "b"}))),
    ],
)
def test_nonsense_is_refused_by_name(
    text: str, read: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SETTING", text)
    with pytest.raises(EnvError, match="SETTING"):
        read()


def test_a_variable_without_default_must_be_set() -> None:
    with pytest.raises(EnvError, match="SETTING is not set"):
        env_str("SETTING")


def test_blank_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTING", "  ")
    assert env_int("SETTING", 7) == 7
    assert env_list("SETTING", ["a"]) == ["a"]


def test_a_list_is_split_at_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTING", "a, b ,,c")
    assert env_list("SETTING") == ["a", "b", "c"]


def test_a_secret_may_come_from_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "secret"
    file.write_text("hush\n")
    monkeypatch.setenv("SETTING_FILE", str(file))
    assert env_secret("SETTING") == "hush"
    monkeypatch.setenv("SETTING", "louder")
    assert env_secret("SETTING") == "louder"


def test_a_secret_file_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SETTING_FILE", str(tmp_path / "absent"))
    with pytest.raises(EnvError, match="absent"):
        env_secret("SETTING")
