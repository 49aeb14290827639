"""Files as people have them, and what an import makes of them."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import CommandError, call_command

from analytics.models import Event

MAP = "occurred_at=time,lat=lat,lon=lon,external_id=id"


def bring(path: Path, content: str | bytes, *words: str) -> dict[str, Any]:
    """Import a file into a region of its own; the source is `s` unless it is said."""
    raw = content.encode() if isinstance(content, str) else content
    path.write_bytes(raw)
    if "--preset" not in words and "--source" not in words:
        words += ("--source", "s")
    out = StringIO()
    where = ("--region", "odd", "--create", "--json")
    call_command(
        "import_events", str(path), *where, *words, stdout=out, stderr=StringIO()
    )
    report: dict[str, Any] = json.loads(out.getvalue())
    return report


def refusal(path: Path, content: str | bytes, *words: str) -> CommandError:
    """Import a file that cannot be; give what the command ends with."""
    try:
        bring(path, content, *words)
    except CommandError as error:
        return error
    raise AssertionError("It was imported.")


def column(*names: str) -> list[Any]:
    """Give fields of the stored events, in the order of their ids."""
    found = Event.objects.merged().filter(region="odd").order_by("external_id")
    return list(found.values_list(*names, flat=len(names) == 1))


def moments() -> list[str]:
    return [f"{moment:%Y-%m-%dT%H:%M:%S.%f}"[:23] for moment in column("occurred_at")]
