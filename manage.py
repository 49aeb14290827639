#!/usr/bin/env python
"""The command line of riskplatform; it finds or starts the servers a command needs."""

import os
import sys

from django.core.management import execute_from_command_line

from riskplatform.embedded.attach import attach
from riskplatform.env import EnvError
from riskplatform.kernel.errors import ApplicationError


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "riskplatform.settings")
    with attach(sys.argv):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    try:
        main()
    except (ApplicationError, EnvError) as error:
        sys.exit(f"{error}")
