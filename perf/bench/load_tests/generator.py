"""Runs Locust, which makes the load, and reads what it measured."""

import csv
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from perf.bench.client import WebRequest, connected
from perf.bench.errors import BenchmarkError
from perf.bench.load_tests.scenarios import Scenario
from perf.bench.parent_watch import ending_with_parent

CHECKOUT: Final = Path(__file__).resolve().parents[3]
# Locust brings gevent and Flask, which nothing else here should meet.
LOCUST: Final = CHECKOUT / ".venv-load" / "bin" / "locust"
LOCUSTFILE: Final = Path(__file__).with_name("locustfile.py")
GRACE_S: Final = 90.0
SAY_EVERY_S: Final = 1.0
# A user sends so many requests a second, if answers come in time.
REQUESTS_PER_S: Final = 1.1
TOTAL: Final = "Aggregated"
# What the names of refused requests begin with.
REFUSED: Final = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRequest:
    """A successful answer has `holds` in its body; see `locustfile.py` for marks."""

    name: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: str | None
    holds: str


Requests = Mapping[str, Sequence[PlannedRequest]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The last seconds before a moment of a run, as the clients saw them."""

    at_s: float
    users: int
    requests_per_s: float
    failures_per_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Of a whole run, for one name of requests."""

    name: str
    requests: int
    failures: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadFigures:
    """`refused` are answers 429 and 503 that say when to come again."""

    seconds: float
    refused: int
    all: Totals
    by_name: list[Totals]
    moments: list[Moment]
    reasons: dict[str, int]

    @property
    def requests_per_s(self) -> float:
        return self.all.requests / self.seconds


def find_locust() -> str:
    """Give the command of Locust.

    Raises
    ------
    BenchmarkError
        It is not installed.
    """
    found = str(LOCUST) if LOCUST.exists() else shutil.which("locust")
    if found is None:
        raise BenchmarkError("Load tests need Locust. Install it: make setup-load")
    return found


def warm_up(address: str, requests: Iterable[PlannedRequest]) -> None:
    """Send each request once; whether it succeeds is seen in the load itself."""
    port = urlsplit(address).port or 80
    different = {(each.method, each.path, each.body): each for each in requests}
    with connected(port) as send:
        for each in different.values():
            body = (each.body or "").encode()
            send(
                WebRequest(
                    method=each.method, path=each.path, headers=each.headers, body=body
                )
            )


def put_under_load(
    address: str,
    scenario: Scenario,
    requests: Requests,
    folder: Path,
    *,
    while_running: Callable[[], None],
    core: int | None,
) -> LoadFigures:
    """Send the load; `while_running` is called about once a second meanwhile."""
    plan_file, tables = folder / "plan.json", folder / "locust"
    plan_file.write_text(_written(scenario, requests), encoding="utf-8")
    argv = [
        *(find_locust(), "--locustfile", str(LOCUSTFILE)),
        *("--headless", "--host", address, "--csv", str(tables), "--csv-full-history"),
        *("--only-summary", "--exit-code-on-error", "0", "--stop-timeout", "10"),
    ]
    log = folder / "locust.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - the commands are the kit's own
            ending_with_parent(argv, core=core),
            env={**os.environ, "LOAD_TEST_PLAN": str(plan_file)},
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=CHECKOUT,
        )
        try:
            _wait(process, scenario.seconds + GRACE_S, while_running)
        finally:
            process.terminate()
            process.wait()
    if process.returncode not in {0, -15}:
        tail = log.read_text(encoding="utf-8", errors="replace")[-1_000:]
        raise BenchmarkError(f"Locust failed: {tail}")
    return read_figures(tables, seconds=scenario.seconds)


def _written(scenario: Scenario, requests: Requests) -> str:
    plan = {
        "stages": [asdict(stage) for stage in scenario.stages],
        "shares": scenario.shares,
        "requests_per_s": REQUESTS_PER_S,
        "requests": {
            kind: [asdict(request) for request in requests[kind]]
            for kind in scenario.shares
        },
    }
    return json.dumps(plan)


def _wait(
    process: "subprocess.Popen[bytes]",
    limit_s: float,
    while_running: Callable[[], None],
) -> None:
    for _ in range(int(limit_s / SAY_EVERY_S)):
        try:
            process.wait(SAY_EVERY_S)
        except subprocess.TimeoutExpired:
            while_running()
        else:
            return
    raise BenchmarkError(f"Locust did not end within {limit_s:.0f} s.")


def read_figures(tables: Path, *, seconds: float) -> LoadFigures:
    """Read what Locust wrote to `<tables>_stats.csv` and its siblings.

    Raises
    ------
    BenchmarkError
        It wrote nothing, so nothing was sent.
    """
    totals = {row["Name"]: _totals(row) for row in _rows(tables, "stats")}
    if TOTAL not in totals or not totals[TOTAL].requests:
        raise BenchmarkError("No request was sent. See locust.log.")
    everything = totals.pop(TOTAL)
    refused = (each for name, each in totals.items() if name.startswith(REFUSED))
    return LoadFigures(
        seconds=seconds,
        refused=sum(each.requests for each in refused),
        all=everything,
        by_name=list(totals.values()),
        moments=list(_moments(_rows(tables, "stats_history"))),
        reasons={
            f"{row['Name']}: {row['Error']}": int(row["Occurrences"])
            for row in _rows(tables, "failures")
        },
    )


def _rows(tables: Path, name: str) -> Iterator[dict[str, Any]]:
    file = tables.with_name(f"{tables.name}_{name}.csv")
    if file.exists():
        with file.open(encoding="utf-8", newline="") as lines:
            yield from csv.DictReader(lines)


def _totals(row: Mapping[str, str]) -> Totals:
    return Totals(
        name=row["Name"],
        requests=int(row["Request Count"]),
        failures=int(row["Failure Count"]),
        p50_ms=_number(row["50%"]),
        p95_ms=_number(row["95%"]),
        p99_ms=_number(row["99%"]),
    )


def _moments(rows: Iterator[dict[str, Any]]) -> Iterator[Moment]:
    first_s = None
    for row in rows:
        if row["Name"] != TOTAL:
            continue
        at_s = float(row["Timestamp"])
        first_s = at_s if first_s is None else first_s
        yield Moment(
            at_s=at_s - first_s,
            users=int(row["User Count"]),
            requests_per_s=_number(row["Requests/s"]),
            failures_per_s=_number(row["Failures/s"]),
            p50_ms=_number(row["50%"]),
            p95_ms=_number(row["95%"]),
            p99_ms=_number(row["99%"]),
        )


def _number(text: str) -> float:
    return 0.0 if text in {"N/A", ""} else float(text)
