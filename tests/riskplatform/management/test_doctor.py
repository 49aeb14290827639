"""The doctor names what is wrong and how to put it right."""

import json
import shutil
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import override_settings

from riskplatform.embedded import diagnosis
from riskplatform.embedded.diagnosis import FAILING, MISSING, OK
from riskplatform.embedded.ports import free_port
from riskplatform.embedded.server_diagnosis import check_database, check_servers

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path) -> Iterator[None]:
    with override_settings(VAR_DIR=tmp_path):
        yield


def findings_of(output: str) -> dict[str, dict[str, str]]:
    return {finding["name"]: finding for finding in json.loads(output)["findings"]}


def test_a_complete_machine_is_ready() -> None:
    output = StringIO()
    call_command("doctor", "--json", stdout=output)
    assert json.loads(output.getvalue())["ready"]
    states = {
        name: finding["state"]
        for name, finding in findings_of(output.getvalue()).items()
        if finding["required"]
    }
    assert set(states) == {
        "python",
        "packages (base)",
        "data folder",
        "redis",
        "clickhouse",
        "database",
        "migrations (default)",
        "migrations (clickhouse)",
    }
    assert set(states.values()) == {OK}


def test_an_unreachable_server_fails_with_its_fix(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port = free_port()
    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{port}/0")
    output = StringIO()
    with pytest.raises(CommandError, match=r"^Not ready: redis\.$"):
        call_command("doctor", stdout=output)
    lines = output.getvalue().splitlines()
    place = next(i for i, line in enumerate(lines) if "redis:" in line)
    assert lines[place].startswith(f"failing  redis: 127.0.0.1:{port}: ")
    assert lines[place + 1] == (
        "         fix: Start the server, correct REDIS_URL, or unset it for an "
        "embedded one."
    )


@pytest.mark.parametrize(
    ("variable", "scheme"),
    [
        ("REDIS_URL", "redis"),
        ("CLICKHOUSE_URL", "clickhouse"),
        ("DATABASE_URL", "postgresql"),
    ],
)
def test_every_kind_of_dead_server_is_reported(variable: str, scheme: str) -> None:
    url = f"{scheme}://user:secret@127.0.0.1:{free_port()}/name"
    [finding] = check_servers({variable: url}, source="given")
    assert finding.state == FAILING
    assert "secret" not in finding.detail


def test_a_missing_tool_is_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _program: None)
    finding = diagnosis.check_tool("wrk")
    assert (finding.state, finding.blocks, finding.fix) == (
        *(MISSING, False, "make setup-extras"),
    )


def test_a_package_of_another_version_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pins = "django==0.1\nnot-there==1.0  # a comment\n# via nothing\n"
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "base.txt").write_text(pins)
    monkeypatch.setattr(diagnosis, "CHECKOUT", tmp_path)
    finding = diagnosis.check_packages("base", required=True)
    assert finding.blocks
    assert finding.detail.endswith(", not 0.1, not-there is not installed")


def test_a_damaged_sqlite_file_fails(tmp_path: Path) -> None:
    file = tmp_path / "damaged.sqlite3"
    file.write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 40)
    assert check_database(f"sqlite:///{file}", "embedded").state == FAILING
