"""What the platform under load says of itself, again and again, by its /metrics."""

import time
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from perf.bench.errors import BenchmarkError

EVERY_S: Final = 5.0
TIMEOUT_S: Final = 30.0
CACHED: Final = frozenset({"l1", "l2"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Memory in bytes by process; counts since the start; open files and connections.

    `hits` and `lookups` are of requests that a cached response may answer.
    """

    at_s: float
    memory: dict[str, float]
    open_files: float
    connections: float
    hits: float
    lookups: float


@dataclass(slots=True)
class MetricsReader:
    """Reads /metrics at most every `EVERY_S` seconds."""

    url: str
    begun: str = ""
    ended: str = ""
    readings: list[Reading] = field(default_factory=list)
    _started_s: float = field(default_factory=time.monotonic)

    def begin(self) -> None:
        self.begun = self._read()

    def end(self) -> None:
        self.ended = self._read()

    def read_if_due(self) -> None:
        last_s = self.readings[-1].at_s if self.readings else -EVERY_S
        at_s = time.monotonic() - self._started_s
        if at_s - last_s >= EVERY_S:
            families = text_string_to_metric_families(self._read())
            self.readings.append(reading_of(families, at_s=at_s))

    def _read(self) -> str:
        try:
            with urllib.request.urlopen(self.url, timeout=TIMEOUT_S) as answer:  # noqa: S310 - given by the command
                text: str = answer.read().decode()
                return text
        except OSError as error:
            raise BenchmarkError(f"{self.url} cannot be read: {error}.") from error


def reading_of(families: Iterable[Metric], *, at_s: float) -> Reading:
    memory: dict[str, float] = {}
    sums = dict.fromkeys(("files", "connections", "hits", "lookups"), 0.0)
    for family in families:
        for sample in family.samples:
            value, labels = sample.value, sample.labels
            match sample.name:
                case "riskplatform_process_resident_bytes":
                    memory[f"{labels['process']} {labels['pid']}"] = value
                case "riskplatform_process_open_files":
                    sums["files"] += value
                case "perf_connections" if labels.get("state") != "waiting":
                    sums["connections"] += value
                case "perf_edge_requests_total" if labels["outcome"] != "bypass":
                    sums["lookups"] += value
                    sums["hits"] += value if labels["outcome"] in CACHED else 0.0
    return Reading(
        at_s=at_s,
        memory=memory,
        open_files=sums["files"],
        connections=sums["connections"],
        hits=sums["hits"],
        lookups=sums["lookups"],
    )
