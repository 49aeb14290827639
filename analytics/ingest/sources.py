"""Whose events a file brings: sources are one namespace for files and for POSTs."""

from django.db import transaction

from analytics.errors import SourceTakenError
from analytics.ingest.events import check_source
from analytics.models import EventSource, InboxEvent, SettledEvent
from riskplatform.api.keys.models import Organisation

SEPARATOR = "/"


def source_of_file(
    name: str, *, organisation: Organisation | None, region: str
) -> EventSource:
    """Find or make, without saving it, the source that a file's events belong to.

    `acme/archive` is the source archive of the organisation acme, where there is one.

    Raises
    ------
    SourceTakenError
        Another sends events of this name to the region, so that the file's would be
        there a second time.
    """
    owner, _, rest = name.partition(SEPARATOR)
    if organisation is None and rest:
        organisation = Organisation.objects.filter(slug=owner).first()
    if organisation is not None:
        name = name.removeprefix(f"{organisation.slug}{SEPARATOR}")
    check_source(name)
    same_name = list(
        EventSource.objects.filter(name=name).select_related("organisation")
    )
    known = EventSource(organisation=organisation, name=name)
    for source in same_name:
        if source.organisation == organisation:
            known = source
    if region not in known.file_regions:
        for source in same_name:
            if source != known and _is_used(source, region):
                raise _taken(source, region)
    return known


@transaction.atomic
def note_file(source: EventSource, *, region: str) -> None:
    """Note that a file brings events of the source, before it does."""
    owned = EventSource.objects.filter(
        organisation=source.organisation, name=source.name
    )
    if not owned.exists():
        EventSource.objects.bulk_create([source], ignore_conflicts=True)
    locked = owned.select_for_update().get()
    if region not in locked.file_regions:
        locked.file_regions = sorted([*locked.file_regions, region])
        locked.save(update_fields=("file_regions",))


def _is_used(source: EventSource, region: str) -> bool:
    tables = (InboxEvent.objects, SettledEvent.objects)
    return region in source.file_regions or any(
        table.filter(source=source, region=region).exists() for table in tables
    )


def _taken(source: EventSource, region: str) -> SourceTakenError:
    owner = source.organisation
    advice = (
        "the installation's are imported without --organisation"
        if owner is None
        else f"say --organisation {owner.slug} if the file's are the same"
    )
    whose = "The installation" if owner is None else f"The organisation {owner.slug}"
    return SourceTakenError(
        f"{whose} has events of the source {source.name!r} in {region!r} already:"
        f" {advice}. Else name another --source.",
        source=source.name,
        region=region,
    )
