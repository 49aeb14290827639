"""A program that runs another one on one core, and not longer than its starter lives.

`python -m perf.bench.parent_watch CORE PROGRAM [ARGUMENT ...]`; CORE -1 pins nothing.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1


def ending_with_parent(argv: Sequence[str], *, core: int | None) -> list[str]:
    """Return the command line that runs `argv` ending_with_parent to this process."""
    number = -1 if core is None else core
    return [sys.executable, "-m", __name__, str(number), *argv]


def run(core: int, argv: Sequence[str]) -> None:
    """Become the program; it ends when its parent is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if core >= 0:
            os.sched_setaffinity(0, {core})
    os.execvp(argv[0], list(argv))  # noqa: S606 - the commands are the kit's own


if __name__ == "__main__":
    run(int(sys.argv[1]), sys.argv[2:])
