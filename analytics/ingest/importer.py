"""Imports a file of events: what is good is stored, what is not is explained."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import perf_counter

from analytics.errors import EventFileError
from analytics.grid import Bounds, RegionGrid, load_zone
from analytics.ingest.chunk_work import (
    ChunkResult,
    ChunkTask,
    ChunkWorker,
    origin_of,
)
from analytics.ingest.chunks import Chunk, read_chunks
from analytics.ingest.column_map import ColumnMap
from analytics.ingest.file_format import FileFormat
from analytics.ingest.header import locate_columns
from analytics.ingest.identity import RowNames
from analytics.ingest.known_ids import KnownIds, load_known_ids, mark_others
from analytics.ingest.opening import OpenFile, open_file
from analytics.ingest.pipeline import processes, storing_thread, work_ahead
from analytics.ingest.refusals import Refusals
from analytics.ingest.rejections import Rejection
from analytics.ingest.report import ImportProgress, ImportReport, ImportTally
from analytics.ingest.storage import StoredEvents, check_source, store_events
from analytics.ingest.validation import RowRules

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
    bounds
        Box in which the events must lie; exchanged coordinates are told by it.
    """

    column_map: ColumnMap
    grid: RegionGrid
    source: str
    default_timezone: str | None = None
    bounds: Bounds | None = None
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
    event that the source had before. What was told by `on_progress` is stored.

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
        self._tally = ImportTally(file=opened.name)
        self._started_s = perf_counter()
        self._columns = locate_columns(
            opened.rows.header, plan.column_map, file=opened.name
        )

    def run(self, on_progress: OnProgress, on_rejection: OnRejection) -> ImportReport:
        refusals = Refusals(
            file=self._opened.name,
            column_map=self._plan.column_map,
            columns=self._columns,
        )
        for chunk, result in self._results():
            stored = self._looking_up.submit(self._look_up, result).result()
            self._tally.add(result, stored)
            for rejection in refusals.of_chunk(chunk, result, stored):
                self._tally.add_rejection(rejection)
                on_rejection(rejection)
            on_progress(self._progress(chunk.end))
        fault = self._opened.fault()
        if fault is not None:
            broken_off = refusals.of_break(self._opened.rows.number + 1, fault)
            self._tally.broken_off = broken_off
            on_rejection(broken_off)
        elif not self._tally.row_count and not self._tally.skipped:
            raise EventFileError(
                f"{self._opened.name} has a header but no rows.", file=self._opened.name
            )
        return self._tally.report(
            is_dry_run=self._mode.dry_run, seconds=self._elapsed_s()
        )

    def _results(self) -> Iterator[tuple[Chunk, ChunkResult]]:
        """Work on the chunks: in the thread that stores, or in processes."""
        origin = origin_of(self._plan.grid, self._plan.source, self._now)
        # Whoever writes after this mark is noticed, so what is read next suffices.
        others = self._storing.submit(mark_others, origin).result()
        known = self._storing.submit(load_known_ids, origin).result()
        worker = ChunkWorker(
            columns=self._columns,
            rules=self._rules(),
            grid=self._plan.grid,
            source=self._plan.source,
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
        place = self._columns.get("external_id")
        for chunk in read_chunks(rows, cut=skip):
            # Rows are counted from the first on, so skipped ones are named as well.
            names = name_rows(chunk.rows) if place is None else []
            if chunk.end <= skip:
                self._tally.skipped = chunk.end
                continue
            ids = names if place is None else [row[place].strip() for row in chunk.rows]
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
            now=self._now,
            zone=None if zone is None else load_zone(zone),
            bounds=self._plan.bounds,
        )

    def _look_up(self, result: ChunkResult) -> StoredEvents:
        return store_events(
            result.doubtful,
            grid=self._plan.grid,
            source=self._plan.source,
            now=self._now,
            dry_run=self._mode.dry_run,
        )

    def _progress(self, rows_done: int) -> ImportProgress:
        elapsed_s, fraction = self._elapsed_s(), self._opened.fraction()
        left_s = fraction and elapsed_s * (1 - fraction) / max(fraction, 1e-6)
        return ImportProgress(
            rows_done=rows_done,
            rows=self._tally.row_count,
            accepted=self._tally.accepted,
            duplicates=self._tally.duplicates,
            rejected_by_code=dict(self._tally.rejected_by_code),
            fraction=fraction,
            rows_per_s=self._tally.row_count / elapsed_s,
            left_s=left_s,
        )

    def _elapsed_s(self) -> float:
        return max(perf_counter() - self._started_s, 1e-6)
