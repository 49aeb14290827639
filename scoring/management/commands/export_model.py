"""Write the artifacts of a model version to files."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from riskplatform.api.keys.access import FULL_ACCESS
from riskplatform.kernel.commands import ApplicationCommand, add_dry_run, add_json
from scoring.selectors.model_versions import find_model_version
from scoring.selectors.regions import get_region
from scoring.services.registry.stores import SUFFIX


class Command(ApplicationCommand):
    help = (
        "Write the artifacts of a model version to a folder, one file a horizon, as "
        "POST /reload-model takes them. Safe to repeat."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version", help="Id, or name such as ensemble-3.")
        parser.add_argument("folder", type=Path, help="Made if it is not there.")
        parser.add_argument("--region", required=True, help="Slug of the region.")
        add_dry_run(parser, "Name the files, write none.")
        add_json(parser)

    def handle(
        self, *, version: str, folder: Path, region: str, **options: Any
    ) -> None:
        found = find_model_version(
            version, region=get_region(region, access=FULL_ACCESS), access=FULL_ACCESS
        )
        if found is None:
            raise CommandError(f"Region {region!r} has no model version {version!r}.")
        files: dict[str, str] = {}
        for artifact in found.artifacts.iterator():
            path = folder / f"{artifact.horizon_sec}{SUFFIX}"
            if not options["dry_run"]:
                folder.mkdir(parents=True, exist_ok=True)
                path.write_bytes(bytes(artifact.body))
            files[str(path)] = artifact.digest
        lines = [f"{path} {digest}" for path, digest in files.items()]
        self.report("\n".join(lines), {"files": files}, options)
