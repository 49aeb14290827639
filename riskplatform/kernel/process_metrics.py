"""What the kernel says of the processes that count: memory and open files."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from riskplatform.kernel import metrics_files

PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


class ProcessCollector(Collector):
    """Living processes; without a folder only the names of the metrics."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def collect(self) -> Iterable[GaugeMetricFamily]:
        families = running, memory, files = (
            GaugeMetricFamily(
                "riskplatform_processes",
                "Processes that live: web, realtime and worker.",
                labels=["process"],
            ),
            GaugeMetricFamily(
                "riskplatform_process_resident_bytes",
                "Memory of a process, shared pages included.",
                labels=["process", "pid"],
            ),
            GaugeMetricFamily(
                "riskplatform_process_open_files",
                "Files and sockets that a process has open.",
                labels=["process", "pid"],
            ),
        )
        alive = {} if self._folder is None else metrics_files.living(self._folder)
        for kind in sorted({*alive.values()}):
            running.add_metric([kind], list(alive.values()).count(kind))
        for pid, kind in alive.items():
            try:
                usage = _usage(pid)
            except (OSError, ValueError, IndexError):
                # It has just ended, or this system has no /proc.
                continue
            memory.add_metric([kind, str(pid)], usage[0])
            files.add_metric([kind, str(pid)], usage[1])
        return families

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return ProcessCollector().collect()


def _usage(pid: int) -> tuple[int, int]:
    """Give the resident bytes and the open files of a process."""
    proc = Path("/proc") / str(pid)
    pages = int((proc / "statm").read_text(encoding="ascii").split()[1])
    return pages * PAGE_BYTES, sum(1 for _ in (proc / "fd").iterdir())
