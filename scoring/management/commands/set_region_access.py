"""Say whose a region is, and whether everybody sees its forecasts."""

from argparse import ArgumentParser
from typing import Any

from riskplatform.api.keys.access import FULL_ACCESS
from riskplatform.api.keys.services import get_organisation
from riskplatform.kernel.commands import ApplicationCommand, add_dry_run, add_json
from scoring.selectors.regions import get_region
from scoring.services.regions import set_region_access


class Command(ApplicationCommand):
    help = (
        "Say whose a region is, and whether everybody sees its forecasts. What is not "
        "given stays as it is. Keys and members of the owner see a private region and "
        "change its models; one of the installation is seen by staff only."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("region", help="Slug of the region.")
        owner = parser.add_mutually_exclusive_group()
        owner.add_argument("--organisation", metavar="SLUG", help="Whose it is now.")
        owner.add_argument(
            "--installation", action="store_true", help="It is the installation's."
        )
        seen = parser.add_mutually_exclusive_group()
        seen.add_argument(
            "--public",
            dest="is_public",
            action="store_true",
            default=None,
            help="Everybody sees its forecasts.",
        )
        seen.add_argument(
            "--private",
            dest="is_public",
            action="store_false",
            default=None,
            help="Only its owner and staff see its forecasts.",
        )
        add_dry_run(parser, "Say what would hold, change nothing.")
        add_json(parser)

    def handle(self, *, region: str, **options: Any) -> None:
        found = get_region(region, access=FULL_ACCESS)
        owner = found.owner
        if options["organisation"] is not None:
            owner = get_organisation(options["organisation"])
        elif options["installation"]:
            owner = None
        given = options["is_public"]
        is_public = found.is_public if given is None else given
        if not options["dry_run"]:
            set_region_access(found, owner=owner, is_public=is_public)
        whose = "the installation" if owner is None else f"organisation {owner.slug}"
        state = "public" if is_public else "private"
        verbs = ("would belong", "be") if options["dry_run"] else ("belongs", "is")
        self.report(
            f"Region {region} {verbs[0]} to {whose} and {verbs[1]} {state}.",
            {
                "region": region,
                "organisation": None if owner is None else owner.slug,
                "is_public": is_public,
            },
            options,
        )
