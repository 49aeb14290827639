"""Every command of the platform says what it is for, and so does every option."""

import argparse
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command, get_commands, load_command_class

APPS = ("riskplatform", "riskplatform.api.keys", "scoring", "analytics", "perf")
PAGE = Path(__file__).resolve().parents[2] / "docs/commands.md"
COMMANDS = sorted(name for name, app in get_commands().items() if app in APPS)


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


def test_the_page_of_commands_says_what_they_say() -> None:
    written = StringIO()
    call_command("document_commands", stdout=written)
    assert PAGE.read_text(encoding="utf-8") == written.getvalue(), "run make docs"
