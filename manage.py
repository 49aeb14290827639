#!/usr/bin/env python
"""The command line of riskplatform; it finds or starts the servers a command needs."""

import os
import sys

from django.core.management import execute_from_command_line

from riskplatform.embedded.attach import attach
from riskplatform.env import EnvError
from riskplatform.kernel.errors import ApplicationError

# They serve over ASGI; settings must know before the command itself is found.
REALTIME_COMMANDS = frozenset({"run_realtime", "runserver"})


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "riskplatform.settings")
    is_realtime = bool(REALTIME_COMMANDS.intersection(sys.argv[1:2]))
    os.environ["RISKPLATFORM_PROCESS"] = "realtime" if is_realtime else "command"
    with attach(sys.argv):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    try:
        main()
    except (ApplicationError, EnvError) as error:
        sys.exit(f"{error}")
