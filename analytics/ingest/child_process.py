"""Sets Django up in a process of an import, before what it is sent is unpacked.

What comes first in the arguments of a process is imported first: this module.
"""

import multiprocessing
from collections.abc import Callable
from typing import TypeVar

import django
from django.apps import apps

Argument = TypeVar("Argument")


def call(start: Callable[[Argument], None], argument: Argument) -> None:
    start(argument)


# Last, because the apps import this module too. The parent of the process is not known
# yet at this point; its own name is.
if multiprocessing.current_process().name != "MainProcess" and not apps.ready:
    django.setup()
