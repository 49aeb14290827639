"""Named sources: how the files of a source are read, saved once and used by name."""

from collections.abc import Sequence

from django.utils import timezone

from analytics.errors import UnknownImportSourceError
from analytics.grid import load_zone
from analytics.ingest.column_map import ColumnMap
from analytics.ingest.file_format import FileFormat
from analytics.ingest.storage import check_source
from analytics.models import ImportSource


def save_source(
    name: str,
    *,
    column_map: ColumnMap,
    file_format: FileFormat | None = None,
    times_in: str | None = None,
) -> ImportSource:
    """Save how the files of a source are read, replacing what was saved before."""
    check_source(name)
    if times_in is not None:
        load_zone(times_in)
    source, _ = ImportSource.objects.update_or_create(
        name=name,
        defaults={
            "column_map": str(column_map),
            "file_format": file_format or "",
            "times_in": times_in or "",
            "updated_at": timezone.now(),
        },
    )
    return source


def find_source(name: str) -> ImportSource | None:
    return ImportSource.objects.filter(name=name).first()


def get_source(name: str) -> ImportSource:
    source = find_source(name)
    if source is None:
        saved = ", ".join(ImportSource.objects.values_list("name", flat=True)[:20])
        raise UnknownImportSourceError(
            f"There is no saved source {name!r}. Give a column map with --map, and save"
            f" it with --save-source {name}. Saved are: {saved or 'none'}.",
            source=name,
        )
    return source


def list_sources() -> Sequence[ImportSource]:
    return list(ImportSource.objects.order_by("name"))
