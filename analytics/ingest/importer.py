"""Imports a file of events: what is good is stored, what is not is explained."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import perf_counter

from analytics.clickhouse import close_connection
from analytics.errors import EventFileError
from analytics.grid import Bounds, RegionGrid, load_zone
from analytics.ingest.byte_source import ByteSource
from analytics.ingest.chunks import Chunk, read_chunks
from analytics.ingest.column_map import ColumnMap
from analytics.ingest.header import locate_columns
from analytics.ingest.line_source import LineSource
from analytics.ingest.refusals import Refusals
from analytics.ingest.rejections import Rejection
from analytics.ingest.report import ImportProgress, ImportReport, ImportTally
from analytics.ingest.row_source import RowSource
from analytics.ingest.storage import StoredEvents, store_events
from analytics.ingest.validation import RowRules, RowValidator, Verdict


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


def import_file(
    path: Path,
    *,
    plan: ImportPlan,
    now: datetime,
    dry_run: bool = False,
    on_progress: Callable[[ImportProgress], None] = lambda _progress: None,
    on_rejection: Callable[[Rejection], None] = lambda _rejection: None,
) -> ImportReport:
    """Import a CSV file, plain or gzip; safe to repeat and to interrupt.

    Memory holds two chunks of rows and 8 bytes for each row read: one chunk is
    stored while the next is read. An interrupted import keeps what was stored.

    Raises
    ------
    EventFileError, ColumnMapError
        When no row of the file can be read.
    """
    with ByteSource(path) as content:
        return _Import(content, plan=plan, now=now, is_dry_run=dry_run).run(
            on_progress=on_progress, on_rejection=on_rejection
        )


class _Import:
    """One run over one file."""

    def __init__(
        self, content: ByteSource, *, plan: ImportPlan, now: datetime, is_dry_run: bool
    ) -> None:
        self._content = content
        self._plan = plan
        self._now = now
        self._is_dry_run = is_dry_run
        self._tally = ImportTally(file=content.name)
        self._started_s = perf_counter()

    def run(
        self,
        *,
        on_progress: Callable[[ImportProgress], None],
        on_rejection: Callable[[Rejection], None],
    ) -> ImportReport:
        content, column_map = self._content, self._plan.column_map
        lines = LineSource(content, is_whole=lambda: content.fault is None)
        rows = self._open_rows(lines)
        columns = locate_columns(rows.header, column_map, file=content.name)
        validator = RowValidator(rows.header, columns=columns, rules=self._rules())
        refusals = Refusals(file=content.name, column_map=column_map, columns=columns)
        judged = (
            (chunk, validator.validate(chunk.rows)) for chunk in read_chunks(rows)
        )
        for chunk, verdict, stored in _stored_ahead(judged, self._store):
            self._tally.add_stored(verdict, stored)
            for rejection in refusals.of_chunk(chunk, verdict, stored):
                self._tally.add_rejection(rejection)
                on_rejection(rejection)
            on_progress(self._progress())
        if content.fault is not None:
            broken_off = refusals.of_break(lines.number + 1, content.fault)
            self._tally.broken_off = broken_off
            on_rejection(broken_off)
        elif not self._tally.row_count:
            raise EventFileError(
                f"{content.name} has a header but no rows.", file=content.name
            )
        return self._tally.report(
            is_dry_run=self._is_dry_run, seconds=self._elapsed_s()
        )

    def _open_rows(self, lines: LineSource) -> RowSource:
        name = self._content.name
        try:
            return RowSource(lines, file=name)
        except EventFileError:
            if self._content.fault is None:
                raise
            reason = self._content.fault.reason
        raise EventFileError(f"{name}, row 1: {reason}", file=name)

    def _rules(self) -> RowRules:
        zone = self._plan.default_timezone
        return RowRules(
            column_map=self._plan.column_map,
            now=self._now,
            zone=None if zone is None else load_zone(zone),
            bounds=self._plan.bounds,
        )

    def _store(self, verdict: Verdict) -> StoredEvents:
        return store_events(
            verdict.events,
            grid=self._plan.grid,
            source=self._plan.source,
            now=self._now,
            dry_run=self._is_dry_run,
        )

    def _progress(self) -> ImportProgress:
        elapsed_s = self._elapsed_s()
        fraction = self._content.read_bytes / max(self._content.size_bytes, 1)
        return ImportProgress(
            rows=self._tally.row_count,
            accepted=self._tally.accepted,
            duplicates=self._tally.duplicates,
            rejected=self._tally.rejected_count,
            fraction=fraction,
            rows_per_s=self._tally.row_count / elapsed_s,
            left_s=elapsed_s * (1 - fraction) / max(fraction, 1e-6),
        )

    def _elapsed_s(self) -> float:
        return max(perf_counter() - self._started_s, 1e-6)


def _stored_ahead(
    judged: Iterator[tuple[Chunk, Verdict]], store: Callable[[Verdict], StoredEvents]
) -> Iterator[tuple[Chunk, Verdict, StoredEvents]]:
    """Store each chunk while the next is read, which is most of the work."""
    with ThreadPoolExecutor(1) as pool:
        try:
            waiting: tuple[Chunk, Verdict, Future[StoredEvents]] | None = None
            for chunk, verdict in judged:
                if waiting is not None:
                    yield waiting[0], waiting[1], waiting[2].result()
                waiting = (chunk, verdict, pool.submit(store, verdict))
            if waiting is not None:
                yield waiting[0], waiting[1], waiting[2].result()
        finally:
            pool.submit(close_connection).result()
