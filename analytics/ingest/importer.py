"""Imports a file of events: what is good is stored, what is not is explained."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import perf_counter

import numpy as np

from analytics.errors import EventFileError
from analytics.grid import RegionGrid, load_zone
from analytics.ingest.chunk_work import (
    ChunkResult,
    ChunkTask,
    ChunkWorker,
    origin_of,
)
from analytics.ingest.column_map import ColumnMap, locate_columns
from analytics.ingest.file_format import FileFormat
from analytics.ingest.identity import RowNames
from analytics.ingest.known_ids import KnownIds, load_known_ids, mark_others
from analytics.ingest.opening import OpenFile, open_file
from analytics.ingest.pipeline import processes, storing_thread, work_ahead
from analytics.ingest.report import ImportProgress, ImportReport, Rejection
from analytics.ingest.rows import Chunk, read_chunks
from analytics.ingest.rules import CLOCK_TOLERANCE, RETRACTED, Fault
from analytics.ingest.storage import StoredEvents, check_source, store_events
from analytics.ingest.validation import RowRules
from analytics.store.clickhouse import from_milliseconds

MAX_VALUE_CHARS = 200

OnProgress = Callable[[ImportProgress], None]
OnRejection = Callable[[Rejection], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlan:
    """How a file is to be read and where its events belong.

    Parameters
    ----------
    source
        Name under which the events are known; ids are unique within it.
    default_timezone
        Zone of times without an offset; such times are refused without it.
    """

    column_map: ColumnMap
    grid: RegionGrid
    source: str
    default_timezone: str | None = None
    file_format: FileFormat = FileFormat.CSV


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportMode:
    """How a run goes about it, which changes nothing about the result.

    Parameters
    ----------
    skip_rows
        Rows at the beginning of the file that an earlier run settled.
    workers
        Processes that validate and store; 1 is a thread of this process.
    """

    dry_run: bool = False
    skip_rows: int = 0
    workers: int = 1


def import_file(
    path: Path,
    *,
    plan: ImportPlan,
    now: datetime,
    mode: ImportMode = ImportMode(),
    on_progress: OnProgress = lambda _progress: None,
    on_rejection: OnRejection = lambda _rejection: None,
) -> ImportReport:
    """Import a file; safe to repeat, to interrupt and to run twice at once.

    Memory holds a few chunks of rows, 8 bytes for each row read, and 4 for each
    event that the source had before. What `on_progress` reported is stored.

    Raises
    ------
    EventFileError, ColumnMapError
        When no row of the file can be read.
    """
    check_source(plan.source)
    with ExitStack() as stack:
        opened = stack.enter_context(
            open_file(path, file_format=plan.file_format, column_map=plan.column_map)
        )
        threads = [stack.enter_context(storing_thread()) for _ in range(2)]
        run = _Import(opened, plan=plan, now=now, mode=mode, threads=threads)
        return run.run(on_progress, on_rejection)


class _Import:
    """One run over one file."""

    def __init__(
        self,
        opened: OpenFile,
        *,
        plan: ImportPlan,
        now: datetime,
        mode: ImportMode,
        threads: Sequence[Executor],
    ) -> None:
        self._opened = opened
        self._plan = plan
        self._now = now
        self._mode = mode
        self._storing, self._looking_up = threads
        self._report = ImportReport(file=opened.name, is_dry_run=mode.dry_run)
        self._cells: set[int] = set()
        self._started_s = perf_counter()
        self._columns = locate_columns(
            opened.rows.header, plan.column_map, file=opened.name
        )

    def run(self, on_progress: OnProgress, on_rejection: OnRejection) -> ImportReport:
        report = self._report
        for chunk, result in self._results():
            stored = self._looking_up.submit(self._look_up, result).result()
            self._count(result, stored)
            for rejection in self._rejections(chunk, result, stored):
                report.reject(rejection)
                on_rejection(rejection)
            on_progress(self._progress(chunk.end))
        fault = self._opened.fault()
        if fault is not None:
            report.broken_off = self._rejection(self._opened.rows.number + 1, fault)
            on_rejection(report.broken_off)
        elif not report.row_count and not report.skipped:
            raise EventFileError(
                f"{self._opened.name} has a header but no rows.", file=self._opened.name
            )
        report.seconds = self._elapsed_s()
        return report

    def _results(self) -> Iterator[tuple[Chunk, ChunkResult]]:
        """Work on the chunks: in the thread that stores, or in processes."""
        origin = origin_of(self._plan.grid, self._plan.source, self._now)
        # Later writes by others are noticed, so what is read next suffices.
        others = self._storing.submit(mark_others, origin).result()
        known = self._storing.submit(load_known_ids, origin).result()
        worker = ChunkWorker(
            columns=self._columns,
            rules=self._rules(),
            grid=self._plan.grid,
            source=self._plan.source,
            now=self._now,
            others=others,
            is_dry_run=self._mode.dry_run,
        )
        tasks, count = self._tasks(known), self._mode.workers
        if count == 1:
            yield from work_ahead(
                tasks, pool=self._storing, work=worker.work, ahead=count
            )
            return
        with processes(worker, count=count) as pool:
            yield from work_ahead(tasks, pool=pool, ahead=count)

    def _tasks(self, known: KnownIds) -> Iterator[tuple[Chunk, ChunkTask]]:
        rows, skip = self._opened.rows, self._mode.skip_rows
        name_rows = RowNames(rows.identity).of
        index = self._columns.get("external_id")
        for chunk in read_chunks(rows, cut=skip):
            # Rows are counted from the first on, so skipped ones are named as well.
            names = name_rows(chunk.rows) if index is None else []
            if chunk.end <= skip:
                self._report.skipped = chunk.end
                continue
            ids = names if index is None else [row[index].strip() for row in chunk.rows]
            yield (
                chunk,
                ChunkTask(
                    rows=chunk.rows, names=names, may_be_known=known.may_hold(ids)
                ),
            )

    def _rules(self) -> RowRules:
        zone = self._plan.default_timezone
        return RowRules(
            column_map=self._plan.column_map,
            latest=self._now + CLOCK_TOLERANCE,
            zone=None if zone is None else load_zone(zone),
            bounds=self._plan.grid.bounds,
        )

    def _look_up(self, result: ChunkResult) -> StoredEvents:
        return store_events(
            result.doubtful,
            grid=self._plan.grid,
            source=self._plan.source,
            now=self._now,
            dry_run=self._mode.dry_run,
        )

    def _count(self, result: ChunkResult, stored: StoredEvents) -> None:
        """Count a chunk; `stored` is what became of its doubtful events."""
        report = self._report
        report.ambiguous_times += result.ambiguous_count
        report.accepted += result.occurred_ms.size + stored.accepted
        report.duplicates += stored.duplicates
        self._cells.update(result.cells.tolist(), np.unique(stored.cells).tolist())
        report.cells = len(self._cells)
        late = result.doubtful.occurred_ms[stored.accepted_places]
        for occurred_ms in (result.occurred_ms, late):
            if occurred_ms.size:
                first, last = (
                    from_milliseconds(int(it))
                    for it in (occurred_ms.min(), occurred_ms.max())
                )
                report.first_occurred_at = min(report.first_occurred_at or first, first)
                report.last_occurred_at = max(report.last_occurred_at or last, last)

    def _rejections(
        self, chunk: Chunk, result: ChunkResult, stored: StoredEvents
    ) -> list[Rejection]:
        """Give the refused rows of a chunk in the order of the file."""
        refused = [
            self._rejection(number, bad.fault, bad.column, bad.value)
            for number, bad in chunk.bad
        ]
        retracted = result.doubtful_places[stored.retracted_places].tolist()
        faults = {
            **dict.fromkeys(retracted, ("external_id", RETRACTED)),
            **result.faults,
        }
        for index, (field, fault) in faults.items():
            column = self._plan.column_map.columns.get(field)
            value = chunk.rows[index][self._columns[field]].strip() if column else None
            refused.append(self._rejection(chunk.numbers[index], fault, column, value))
        return sorted(refused, key=lambda rejection: rejection.row)

    def _rejection(
        self,
        row: int,
        fault: Fault,
        column: str | None = None,
        value: str | None = None,
    ) -> Rejection:
        return Rejection(
            file=self._opened.name,
            row=row,
            column=column,
            code=fault.code,
            reason=fault.reason,
            value=value and value[:MAX_VALUE_CHARS],
        )

    def _progress(self, rows_done: int) -> ImportProgress:
        report, fraction = self._report, self._opened.fraction()
        elapsed_s = self._elapsed_s()
        left_s = fraction and elapsed_s * (1 - fraction) / max(fraction, 1e-6)
        return ImportProgress(
            rows_done=rows_done,
            rows=report.row_count,
            accepted=report.accepted,
            duplicates=report.duplicates,
            rejected_by_code=dict(report.rejected_by_code),
            fraction=fraction,
            rows_per_s=report.row_count / elapsed_s,
            left_s=left_s,
        )

    def _elapsed_s(self) -> float:
        return max(perf_counter() - self._started_s, 1e-6)
