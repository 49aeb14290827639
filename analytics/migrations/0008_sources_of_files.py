"""Note which sources files brought events of, as imports from now on do."""

from collections import defaultdict

from django.db import migrations


def note_sources(apps, schema_editor):
    run_model = apps.get_model("analytics", "ImportRun")
    source_model = apps.get_model("analytics", "EventSource")
    organisation_model = apps.get_model("keys", "Organisation")
    organisations = {it.slug: it for it in organisation_model.objects.all()}
    regions = defaultdict(set)
    for source, region in run_model.objects.values_list("source", "region").distinct():
        owner, _, name = source.rpartition("/")
        if owner in organisations:
            regions[organisations[owner], name].add(region)
        else:
            regions[None, source].add(region)
    for (organisation, name), slugs in regions.items():
        known, _ = source_model.objects.get_or_create(
            organisation=organisation, name=name
        )
        known.file_regions = sorted(slugs)
        known.save(update_fields=["file_regions"])


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0007_how_files_are_written"),
        ("keys", "0001_organisations_and_api_keys"),
    ]

    operations = [migrations.RunPython(note_sources, migrations.RunPython.noop)]
