"""Every command of the platform says what it is for, and so does every option."""

import argparse

import pytest
from django.core.management import get_commands, load_command_class

APPS = ("riskplatform", "riskplatform.api.keys", "scoring", "analytics", "perf")
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
