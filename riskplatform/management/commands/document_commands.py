"""Write docs/commands.md: what every command of the platform says about itself."""

import argparse
from collections.abc import Iterator
from typing import Any

from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand, DjangoHelpFormatter

TITLES = {
    "riskplatform": "Running the platform",
    "riskplatform.api.keys": "Who may do what",
    "analytics": "Events",
    "scoring": "Forecasts, portfolios and alerts",
    "perf": "Jobs, caches and benchmarks",
}
HEADER = """# Commands

Written by `make docs` from the commands themselves; their `--help` says the same.
Options that Django gives to every command are left out, and so are its own commands.
"""


class Command(BaseCommand):
    help = "Print docs/commands.md, the list of all commands with their options."
    requires_system_checks = []

    def handle(self, **_options: Any) -> None:
        self.stdout.write("\n".join(commands_page()))


def commands_page() -> Iterator[str]:
    yield HEADER
    apps = get_commands()
    for app, title in TITLES.items():
        yield f"## {title}\n"
        for name in sorted(name for name, owner in apps.items() if owner == app):
            # Daphne's, under Django's name.
            if name == "runserver":
                continue
            yield from _section(name, load_command_class(app, name))


def _section(name: str, command: BaseCommand) -> Iterator[str]:
    parser = command.create_parser("manage.py", name)
    actions = [action for action in parser._actions if _is_own(action)]  # noqa: SLF001 - argparse offers no list
    names = [_names(action) for action in actions if not action.option_strings]
    yield f"### `{' '.join(['manage.py', name, *names])}`\n"
    yield f"{' '.join(command.help.split())}\n"
    if actions:
        yield "| argument | meaning |\n|---|---|"
        yield from (
            f"| `{_names(action)}` | {_meaning(action)} |" for action in actions
        )
        yield ""


def _is_own(action: argparse.Action) -> bool:
    option = next(iter(action.option_strings), "")
    is_django = option in DjangoHelpFormatter.show_last | {"-h", "-v"}
    return not is_django and action.help != argparse.SUPPRESS


def _names(action: argparse.Action) -> str:
    value = action.metavar or (
        "{" + ",".join(map(str, action.choices)) + "}"
        if action.choices
        else action.dest.upper()
    )
    if not action.option_strings:
        return str(value)
    option = ", ".join(action.option_strings)
    return option if action.nargs == 0 else f"{option} {value}"


def _meaning(action: argparse.Action) -> str:
    text = (action.help or "") % {**vars(action), "prog": "manage.py"}
    required = " (required)" if action.option_strings and action.required else ""
    return " ".join(text.split()).replace("|", "\\|") + required
