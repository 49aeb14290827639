"""What the figures were taken on, and how to stay on one core of it."""

import os
import platform
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.utils import timezone

CPU_INFO = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    cpu: str
    cores: int
    memory_gib: float
    load_1m: float
    python: str
    platform: str
    taken_at: str

    def __str__(self) -> str:
        return (
            f"{self.cpu}, {self.cores} cores, {self.memory_gib:.1f} GiB, "
            f"load {self.load_1m:.1f}, Python {self.python}, {self.platform}, "
            f"{self.taken_at}"
        )


def describe_machine() -> Machine:
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(
        cpu=_cpu_name(),
        cores=len(_pinnable_cores()) or os.cpu_count() or 1,
        memory_gib=round(memory_bytes / 2**30, 1),
        load_1m=round(os.getloadavg()[0], 2),
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.release()}",
        taken_at=timezone.now().isoformat(timespec="seconds"),
    )


def measured_core() -> int | None:
    """Name the core for what is measured; None where the system cannot pin."""
    # Core 0 serves most interrupts, so the last core is the quieter one.
    return max(_pinnable_cores(), default=None)


def other_core() -> int | None:
    """Name the core for what measures: another one, where there are two."""
    return min(_pinnable_cores(), default=None)


@contextmanager
def pinned_to(core: int | None) -> Generator[None]:
    """Keep this thread, and what it starts, on a core; None leaves it alone.

    Threads that run already stay where they are.
    """
    if core is None:
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def _cpu_name() -> str:
    if CPU_INFO.exists():
        for line in CPU_INFO.read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def _pinnable_cores() -> set[int]:
    is_able = hasattr(os, "sched_getaffinity") and hasattr(os, "sched_setaffinity")
    return os.sched_getaffinity(0) if is_able else set()
