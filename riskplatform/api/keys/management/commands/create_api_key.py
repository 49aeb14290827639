"""Issue an API key and show it once."""

import re
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db import transaction
from django.utils import timezone

from riskplatform.api.keys.models import Organisation, Scope
from riskplatform.api.keys.services import get_organisation, issue_key
from riskplatform.kernel.commands import ApplicationCommand, add_dry_run, add_json
from riskplatform.kernel.instants import utc_text

DURATION = re.compile(r"(?P<count>\d{1,4})(?P<unit>[dh])")


class Command(ApplicationCommand):
    help = (
        "Issue an API key for an organisation. The key is printed once and cannot be "
        "shown again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--organisation", required=True, help="Slug of the organisation."
        )
        parser.add_argument(
            "--create", action="store_true", help="Make the organisation if it is new."
        )
        parser.add_argument("--name", required=True, help="What the key is for.")
        parser.add_argument(
            "--scope",
            action="append",
            required=True,
            choices=Scope.values,
            help="What the key may do; give it once for each scope.",
        )
        parser.add_argument("--expires", help="Life of the key: 90d or 12h.")
        add_dry_run(parser, "Check everything, issue no key.")
        add_json(parser)

    def handle(
        self, *, organisation: str, name: str, scope: list[str], **options: Any
    ) -> None:
        # Everything is checked before anything is written.
        life = options["expires"]
        expires_at = None if life is None else timezone.now() + _duration(life)
        with transaction.atomic():
            owner = _owner(organisation, is_made=options["create"])
            issued = issue_key(owner, name=name, scopes=scope, expires_at=expires_at)
            transaction.set_rollback(options["dry_run"])
        facts = {
            "organisation": owner.slug,
            "name": name,
            "scopes": scope,
            "expires_at": None if expires_at is None else utc_text(expires_at),
        }
        if options["dry_run"]:
            text = f"A key of {owner.slug} for {', '.join(scope)} would be issued."
            self.report(text, facts, options)
            return
        self.stderr.write("Keep this key: it is not shown again.", style_func=str)
        key = issued.text.text
        self.report(key, {**facts, "key": key}, options)


def _owner(slug: str, *, is_made: bool) -> Organisation:
    if not is_made or Organisation.objects.filter(slug=slug).exists():
        return get_organisation(slug)
    made = Organisation(slug=slug, name=slug)
    try:
        made.full_clean()
    except ValidationError as error:
        raise CommandError(
            f"{slug!r} is no slug: letters, digits, - and _, at most 50."
        ) from error
    made.save()
    return made


def _duration(text: str) -> timedelta:
    match = DURATION.fullmatch(text)
    if match is None:
        raise CommandError(f"{text!r} is not a duration. Write it like 90d or 12h.")
    count = int(match["count"])
    return timedelta(days=count) if match["unit"] == "d" else timedelta(hours=count)
