"""Every command of the platform says what it is for, and so does every option."""

import argparse
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command, get_commands, load_command_class

APPS = ("riskplatform", "riskplatform.api.keys", "scoring", "analytics", "perf")
PAGE = Path(__file__).resolve().parents[2] / "docs/commands.md"
COMMANDS = sorted(name for name, app in get_commands().items() if app in APPS)

READERS = {
    *("backtest", "benchmark", "check_slo", "clickhouse_ddl", "doctor"),
    *("document_commands", "event_report", "list_operations", "load_test", "skill"),
    "slow_queries",
}
# They go on until they are stopped, or begin with what others do.
SERVERS = {"run_realtime", "run_worker", "runserver", "up"}
# They bring about what is not there: repeating them is harmless.
MAKERS = {"clear_cache", "demo", "export_monitoring", "load_demo", "prepare"}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_and_its_options_have_help(name: str) -> None:
    command = load_command_class(get_commands()[name], name)
    parser = command.create_parser("manage.py", name)
    silent = [
        action.dest
        for action in parser._actions
        if not action.help and action.help is not argparse.SUPPRESS
    ]
    assert command.help
    assert silent == []


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - READERS - SERVERS - MAKERS))
def test_a_command_that_writes_can_be_tried_and_reports_as_json(name: str) -> None:
    command = load_command_class(get_commands()[name], name)
    parser = command.create_parser("manage.py", name)
    options = {option for action in parser._actions for option in action.option_strings}
    assert {"--dry-run", "--json"} <= options


def test_the_page_of_commands_says_what_they_say() -> None:
    written = StringIO()
    call_command("document_commands", stdout=written)
    assert PAGE.read_text(encoding="utf-8") == written.getvalue(), "run make docs"
