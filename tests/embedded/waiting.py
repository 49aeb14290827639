"""Whether processes still run."""

import psutil


def is_running(pid: int) -> bool:
    """Tell whether a process does anything; a zombie does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
