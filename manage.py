#!/usr/bin/env python
"""The command line of riskplatform; it finds or starts the servers a command needs."""

import os
import sys

from django.core.management import execute_from_command_line

from riskplatform.embedded.attach import asks_for_help, attach, var_folder
from riskplatform.env import EnvError
from riskplatform.kernel.errors import ApplicationError
from riskplatform.private_folder import PRIVATE_UMASK, private_folder
from riskplatform.secret_key import HELP_VARIABLE

# They serve over ASGI; settings must know before the command itself is found.
REALTIME_COMMANDS = frozenset({"run_realtime", "runserver"})
# What they write is source, for everybody who works on it.
SOURCE_COMMANDS = frozenset(
    {
        *("makemigrations", "squashmigrations", "makemessages", "compilemessages"),
        *("startapp", "spectacular", "export_monitoring"),
    }
)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "riskplatform.settings")
    is_realtime = bool(REALTIME_COMMANDS.intersection(sys.argv[1:2]))
    os.environ["RISKPLATFORM_PROCESS"] = "realtime" if is_realtime else "command"
    _keep_to_ourselves(sys.argv)
    with attach(sys.argv):
        execute_from_command_line(sys.argv)


def _keep_to_ourselves(argv: list[str]) -> None:
    if asks_for_help(argv):
        os.environ[HELP_VARIABLE] = "1"
    elif argv[1] not in SOURCE_COMMANDS:
        os.umask(PRIVATE_UMASK)
        if var_folder().exists():
            private_folder(var_folder())


if __name__ == "__main__":
    try:
        main()
    except (ApplicationError, EnvError) as error:
        sys.exit(f"{error}")
