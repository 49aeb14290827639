#!/usr/bin/env python
"""The command line of riskplatform; it finds or starts the servers a command needs."""

import os
import sys

from django.core.management import execute_from_command_line

from riskplatform.embedded.attach import asks_for_help, attach, var_folder
from riskplatform.env import EnvError
from riskplatform.kernel import metrics_files
from riskplatform.kernel.errors import ApplicationError
from riskplatform.private_folder import PRIVATE_UMASK, private_folder
from riskplatform.secret_key import HELP_VARIABLE

# How a shell reports a program that was ended by this signal.
BROKEN_PIPE = 128 + 13
# They serve over ASGI; settings must know before the command itself is found.
REALTIME_COMMANDS = frozenset({"run_realtime", "runserver"})
# Their metrics are served together with those of others (riskplatform.serving.metrics).
COUNTED_COMMANDS = {"run_realtime": "realtime", "run_worker": "worker"}
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
    if sys.argv[1:2] and not asks_for_help(sys.argv):
        _count_in_files(sys.argv[1])
    with attach(sys.argv):
        execute_from_command_line(sys.argv)


def _keep_to_ourselves(argv: list[str]) -> None:
    if asks_for_help(argv):
        os.environ[HELP_VARIABLE] = "1"
    elif argv[1] not in SOURCE_COMMANDS:
        os.umask(PRIVATE_UMASK)
        if var_folder().exists():
            private_folder(var_folder())


def _count_in_files(command: str) -> None:
    """Let metrics be seen outside, before anything is imported that makes one."""
    if command in COUNTED_COMMANDS:
        metrics_files.begin(var_folder(), COUNTED_COMMANDS[command])


if __name__ == "__main__":
    try:
        main()
        sys.stdout.flush()
    except BrokenPipeError:
        # Who reads the output, such as `head`, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(BROKEN_PIPE)
    except (ApplicationError, EnvError) as error:
        sys.exit(f"{error}")
