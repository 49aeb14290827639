"""Imports a file of events: what is good is stored, what is not is explained."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
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
    storing_thread,
    work_ahead,
    work_in_processes,
)
from analytics.ingest.column_map import ColumnMap, locate_columns
from analytics.ingest.corrections import ComparedEvents
from analytics.ingest.events import EventTarget
from analytics.ingest.field_texts import FieldTexts, whole_ids
from analytics.ingest.files import FileFormat, OpenFile, open_file
from analytics.ingest.findings import Findings
from analytics.ingest.identity import KnownIds, RowNames, foreign_writes
from analytics.ingest.reading_options import AS_A_POST, ReadingOptions
from analytics.ingest.report import ImportProgress, ImportReport, Rejection
from analytics.ingest.rows import MAX_VALUE_CHARS, BadRow, Chunk, read_chunks
from analytics.ingest.rules import CLOCK_TOLERANCE, RETRACTED, Fault
from analytics.ingest.storage import Cells, store_compared
from analytics.ingest.suggestions import suggest
from analytics.ingest.validation import RowRules
from analytics.store.clickhouse import from_milliseconds

OnProgress = Callable[[ImportProgress], None]
OnRejection = Callable[[Rejection], None]
# The names of a chunk's rows by content, and the ids that they are known by.
Ids = tuple[Sequence[str], Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlan:
    """How a file is to be read and where its events belong.

    Parameters
    ----------
    source
        Name under which the events are known; ids are unique within it.
    default_timezone
        Zone of times without an offset; such times are refused without it.
    skip_rows
        Rows at the beginning of the file that an earlier run settled.
    workers
        Processes that validate and store; 1 is a thread of this process.
    updates
        Events that are stored take the other values they come with; else rows that
        would change one are counted, and it stays as it is.
    counts_cells
        Find out how many cells of which size a region of these events would have.
    options
        How the file is written, where not as a POST is.
    """

    column_map: ColumnMap
    grid: RegionGrid
    source: str
    default_timezone: str | None = None
    file_format: FileFormat = FileFormat.CSV
    is_dry_run: bool = False
    skip_rows: int = 0
    workers: int = 1
    updates: bool = True
    counts_cells: bool = False
    options: ReadingOptions = AS_A_POST


def import_file(
    path: Path,
    *,
    plan: ImportPlan,
    now: datetime,
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
    target = EventTarget(
        grid=plan.grid,
        source=plan.source,
        now=now,
        is_dry_run=plan.is_dry_run,
        updates=plan.updates,
    )
    with ExitStack() as stack:
        opened = stack.enter_context(
            open_file(
                path,
                file_format=plan.file_format,
                column_map=plan.column_map,
                options=plan.options,
            )
        )
        threads = [stack.enter_context(storing_thread()) for _ in range(2)]
        run = _Import(opened, plan=plan, target=target, threads=threads)
        return run.run(on_progress, on_rejection)


class _Import:
    """One run over one file."""

    def __init__(
        self,
        opened: OpenFile,
        *,
        plan: ImportPlan,
        target: EventTarget,
        threads: Sequence[Executor],
    ) -> None:
        self._rows, self._content = opened
        self._plan = plan
        self._target = target
        self._storing, self._looking_up = threads
        self._report = ImportReport(
            file=self._content.name,
            is_dry_run=plan.is_dry_run,
            times_in=plan.default_timezone,
            decided=list(self._rows.decided),
        )
        self._options = self._rows.options_for(plan.options)
        self._findings = Findings(
            resolution=plan.grid.resolution, counts_cells=plan.counts_cells
        )
        self._cells: set[int] = set()
        self._started_s = perf_counter()
        self._columns = locate_columns(
            self._rows.header, plan.column_map, file=self._content.name
        )
        self._report.columns = list(self._rows.header)

    def run(self, on_progress: OnProgress, on_rejection: OnRejection) -> ImportReport:
        report = self._report
        for chunk, result in self._results():
            looking_up = self._looking_up.submit(
                store_compared, result.doubtful, self._target
            )
            compared, cells = looking_up.result()
            self._count(result, compared, cells)
            self._findings.add(result.sights)
            self._note_emptied(chunk, result)
            for rejection in self._rejections(chunk, result, compared):
                report.reject(rejection)
                on_rejection(rejection)
            report.seconds = self._elapsed_s()
            on_progress(ImportProgress(chunk.end, self._content.fraction, report))
        fault = self._content.fault or self._rows.fault
        if fault is not None:
            report.broken_off = self._rejection(self._rows.number + 1, BadRow(fault))
            on_rejection(report.broken_off)
        elif not report.row_count and not report.skipped:
            raise EventFileError(
                f"{report.file} has a header but no rows.", file=report.file
            )
        self._findings.write(report)
        if report.accepted and not self._options.time_format:
            report.decided.append("--time-format iso")
        lacking = sorted(set(self._plan.column_map.columns) - set(self._columns))
        if lacking:
            report.oddities.append(f"The file has no columns for {', '.join(lacking)}.")
        latest = self._target.now + CLOCK_TOLERANCE
        suggest(report, latest=latest)
        report.seconds = self._elapsed_s()
        return report

    def _results(self) -> Iterator[tuple[Chunk, ChunkResult]]:
        """Work on the chunks: in the thread that stores, or in processes."""
        plan, submit = self._plan, self._storing.submit
        # Later writes by others are noticed, so what is read next suffices.
        others = submit(foreign_writes, self._target).result()
        known = submit(KnownIds, self._target).result()
        zone = plan.default_timezone
        worker = ChunkWorker(
            columns=self._columns,
            rules=RowRules(
                column_map=plan.column_map,
                latest=self._target.now + CLOCK_TOLERANCE,
                zone=None if zone is None else load_zone(zone),
                bounds=plan.grid.bounds,
                options=self._options,
            ),
            target=self._target,
            others=others,
        )
        tasks = self._tasks(known)
        if plan.workers > 1:
            return work_in_processes(worker, tasks, count=plan.workers)
        return work_ahead(tasks, pool=self._storing, work=worker.work, ahead=1)

    def _tasks(self, known: KnownIds) -> Iterator[tuple[Chunk, ChunkTask]]:
        skip = self._plan.skip_rows
        row_names = RowNames(self._rows.identity)
        for chunk in read_chunks(self._rows, cut=skip):
            # Rows are counted from the first on, so skipped ones are named as well.
            names, ids = self._names(chunk, row_names)
            if chunk.end <= skip:
                self._report.skipped = chunk.end
                continue
            yield chunk, ChunkTask(chunk.rows, names, known.may_hold(ids))

    def _names(self, chunk: Chunk, row_names: RowNames) -> Ids:
        """Name the rows that have no id; give what all of them are known by."""
        if "external_id" not in self._columns:
            names = row_names.of(chunk.rows)
            return names, names
        ids = FieldTexts(self._columns, self._options).of(chunk.rows, "external_id")
        if not self._options.is_lenient:
            return [], ids
        ids = whole_ids(ids)
        blank = [index for index, text in enumerate(ids) if not text]
        if not blank:
            return [], ids
        names = [""] * len(ids)
        named = row_names.of([chunk.rows[index] for index in blank])
        for index, name in zip(blank, named, strict=True):
            names[index] = ids[index] = name
        return names, ids

    def _count(
        self, result: ChunkResult, compared: ComparedEvents, cells: Cells
    ) -> None:
        """Count a chunk; `compared` is what became of its doubtful events."""
        report = self._report
        for name, count in asdict(result.tally).items():
            setattr(report, name, getattr(report, name) + count)
        report.accepted += result.occurred_ms.size + compared.accepted.size
        report.duplicates += compared.duplicates.size
        report.corrected += compared.corrected.size
        report.changed += compared.changed.size
        self._cells.update(result.cells.tolist(), np.unique(cells).tolist())
        report.cells = len(self._cells)
        late_ms = result.doubtful.occurred_ms[compared.accepted]
        occurred_ms = np.concatenate((result.occurred_ms, late_ms))
        if occurred_ms.size:
            first = from_milliseconds(int(occurred_ms.min()))
            last = from_milliseconds(int(occurred_ms.max()))
            report.first_occurred_at = min(report.first_occurred_at or first, first)
            report.last_occurred_at = max(report.last_occurred_at or last, last)

    def _rejections(
        self, chunk: Chunk, result: ChunkResult, compared: ComparedEvents
    ) -> list[Rejection]:
        """Give the refused rows of a chunk in the order of the file."""
        refused = [self._rejection(number, bad) for number, bad in chunk.bad]
        retracted = result.doubtful_indices[compared.retracted].tolist()
        faults = {
            **dict.fromkeys(retracted, ("external_id", RETRACTED)),
            **result.faults,
        }
        for index, (field, fault) in faults.items():
            refused.append(self._told(chunk, index, field, fault))
        return sorted(refused, key=lambda rejection: rejection.row)

    def _note_emptied(self, chunk: Chunk, result: ChunkResult) -> None:
        for index, field, fault in result.emptied:
            self._report.empty(self._told(chunk, index, field, fault))

    def _told(self, chunk: Chunk, index: int, field: str, fault: Fault) -> Rejection:
        """Say what is wrong with a field of a row of a chunk."""
        column = self._plan.column_map.columns.get(field)
        value = None
        if column is not None:
            texts = FieldTexts(self._columns, AS_A_POST)
            (value,) = texts.of([chunk.rows[index]], field)
        bad = BadRow(fault, column, value)
        return self._rejection(chunk.numbers[index], bad)

    def _rejection(self, row: int, bad: BadRow) -> Rejection:
        return Rejection(
            file=self._content.name,
            row=row,
            column=bad.column,
            code=bad.fault.code,
            reason=bad.fault.reason,
            value=bad.value and bad.value[:MAX_VALUE_CHARS],
        )

    def _elapsed_s(self) -> float:
        return max(perf_counter() - self._started_s, 1e-6)
