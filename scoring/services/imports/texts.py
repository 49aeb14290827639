"""What the import of a file says, on a terminal and on a page."""

from collections.abc import Iterator

from analytics.ingest.report import ImportReport
from scoring.models import Region
from scoring.services.portfolios.asset_import import AssetImport

SHOWN_EMPTIED = 5


def report_lines(report: ImportReport, *, region: Region) -> Iterator[str]:
    """Say what an import of a file did, or a dry run would have done."""
    verb = "would be stored" if report.is_dry_run else "stored"
    rows_per_s = report.row_count / max(report.seconds, 1e-6)
    yield (
        f"{report.file}: {report.accepted:,} events {verb} in {region.slug!r},"
        f" {report.duplicates:,} were there already, {report.rejected_count:,} rows"
        f" refused ({report.seconds:.1f} s, {rows_per_s:,.0f} rows/s)."
    )
    yield from _on_file(report)
    yield from _on_rows(report, region)
    yield from _on_extent(report, region)
    yield from report.oddities
    yield from report.suggestions


def _on_file(report: ImportReport) -> Iterator[str]:
    if report.skipped:
        yield (
            f"This import went on behind {report.skipped:,} rows that an interrupted"
            " one had settled; --restart begins at the first row."
        )
    if report.is_dry_run:
        columns = [name for name in report.columns if "\0" not in name]
        yield f"Columns: {', '.join(columns)}"
    if report.decided:
        yield f"Found by looking, and forced by: {' '.join(report.decided)}"


def _on_rows(report: ImportReport, region: Region) -> Iterator[str]:
    """Say what was done to rows besides taking and refusing them."""
    if report.changed:
        yield (
            f"{report.changed:,} rows changed: their ids are there with other values,"
            " which stay; --update takes those of the file. An id stands for one event."
        )
    if report.corrected:
        yield f"{report.corrected:,} events took other values than they had."
    if report.left_out:
        yield f"{report.left_out:,} rows were left out by --since or --within."
    if report.naive_times:
        chosen = "--times-in" if report.times_in != region.timezone else "the region's"
        yield (
            f"{report.naive_times:,} times without an offset are times of"
            f" {report.times_in} ({chosen} zone; --times-in ZONE names another)."
        )
    if report.wrapped_longitudes:
        yield f"{report.wrapped_longitudes:,} longitudes beyond 180 are west of it."
    if report.blank_ids:
        yield f"{report.blank_ids:,} rows without an id are named by their content."
    yield from _on_emptied(report)


def _on_emptied(report: ImportReport) -> Iterator[str]:
    if not report.emptied_count:
        return
    columns = (f"{name} {n:,}" for name, n in report.emptied_by_column.items())
    yield (
        f"{report.emptied_count:,} fields could not be read and are empty:"
        f" {', '.join(columns)}. The first:"
    )
    yield from (f"  {one}" for one in report.emptied[:SHOWN_EMPTIED])


def _on_extent(report: ImportReport, region: Region) -> Iterator[str]:
    """Say where and when the events are, and which grid would suit them."""
    if report.extent is not None and report.first_occurred_at is not None:
        south, west, north, east = report.extent
        yield (
            f"From {report.first_occurred_at:%Y-%m-%d %H:%M} to"
            f" {report.last_occurred_at:%Y-%m-%d %H:%M} UTC,"
            f" latitude {south:g} to {north:g}, longitude {west:g} to {east:g};"
            f" {report.midnight_share:.0%} of the times are midnight."
        )
    if report.cells_by_resolution:
        counts = ", ".join(
            f"{cells:,} at {resolution}"
            for resolution, cells in sorted(report.cells_by_resolution.items())
        )
        yield (
            f"Cells of a region of these events, by resolution: {counts}."
            f" Proposed: --resolution {report.proposed_resolution}"
            f" (here: {region.resolution})."
        )


def asset_lines(done: AssetImport, *, file: str) -> Iterator[str]:
    """Say what an import of a file of assets did, or a dry run would have done."""
    verb = "would be" if done.is_dry_run else "were"
    yield (
        f"{file}: {done.created_count:,} assets {verb} added to"
        f" {done.portfolio.name!r} and {done.replaced_count:,} replaced;"
        f" {done.outside_count:,} of them, worth {done.outside_value}"
        f" {done.portfolio.currency}, lie outside every region."
    )
    if done.ignored_terms:
        terms = (f"{name} ({count:,})" for name, count in done.ignored_terms.items())
        yield f"Terms that an asset cannot have are ignored: {', '.join(terms)}."
    if done.repeated_count:
        yield (
            f"{done.repeated_count:,} further rows of locations, with the terms of"
            " other perils, are left out: the first row of a location counts."
        )
    if done.unlocated_count:
        yield f"{done.unlocated_count:,} rows without coordinates are left out."
    if done.without_curve_count:
        yield (
            f"{done.without_curve_count:,} assets have no vulnerability curve: an event"
            " in their cell destroys them."
        )
