"""Files of events as people import them, and commands that import them."""

from pathlib import Path

from analytics.models import Event

MAP = "occurred_at=time,lat=lat,lon=lon,external_id=id"
WITHOUT_ID = "occurred_at=time,lat=lat,lon=lon"
IMPORT = """
import sys
from django.core.management import call_command
from analytics.ingest import rows
rows.MAX_ROWS = 500
for _ in range(int(sys.argv[1])):
    call_command("import_events", *sys.argv[2:])
"""


def write_events(path: Path, count: int) -> Path:
    """Write events near Chicago, the last of them a second time."""
    numbers = [*range(count), count - 1]
    rows = [
        f"e{number},2022-01-{number % 28 + 1:02d}T{number // 28 % 24:02d}:00:00Z,"
        f"41.{650 + number % 300},-87.6"
        for number in numbers
    ]
    path.write_text("\n".join(["id,time,lat,lon", *rows, ""]), encoding="utf-8")
    return path


def stored_count() -> int:
    count: int = Event.objects.merged().count()
    return count
