"""Forms that say what to do with a file; options are typed as in commands."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any, cast

from django import forms
from django.contrib.auth.models import User

from analytics.grid import load_zone
from analytics.ingest.presets import PRESETS
from riskplatform.api.keys.models import Membership, Organisation
from riskplatform.kernel.errors import ApplicationError
from scoring.models import Upload
from scoring.services.imports.arguments import parse_asset_words, parse_words
from scoring.services.imports.instructions import (
    AssetInstructions,
    EventInstructions,
    NewRegion,
)
from scoring.services.portfolios.asset_layouts import FORMATS

# Fields of the form that are options of reading; the others are in `more`.
OPTIONS = {
    "map": "--map",
    "preset": "--preset",
    "source": "--source",
    "times_in": "--times-in",
    "time_format": "--time-format",
}
INSTALLATION = "the installation"


class UploadForm(forms.Form):
    """The file, and whose its rows are."""

    file = forms.FileField()
    organisation = forms.ModelChoiceField(
        Organisation.objects.none(), required=False, empty_label=INSTALLATION
    )

    def __init__(self, user: User, *args: Any, for_staff: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        whose = cast(
            "forms.ModelChoiceField[Organisation]", self.fields["organisation"]
        )
        editors = Membership.objects.filter(user=user, role=Membership.Role.EDITOR)
        whose.queryset = Organisation.objects.filter(memberships__in=editors)
        if not (for_staff and user.is_staff):
            whose.required, whose.empty_label = True, None


class EventsForm(forms.Form):
    """Which region the events go to, and how the file is read."""

    region = forms.SlugField(label="Region", help_text="Its slug: city-fires.")
    create = forms.BooleanField(required=False, label="Make it if it is new")
    name = forms.CharField(required=False, max_length=200, label="Name")
    timezone = forms.CharField(
        required=False, label="Time zone", help_text="America/Chicago; UTC else."
    )
    resolution = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=15,
        label="H3 resolution",
        help_text="The size of its cells, for good: 8 is about 0.7 km².",
    )
    is_public = forms.BooleanField(required=False, label="Everybody sees its forecasts")
    preset = forms.ChoiceField(
        required=False,
        choices=[("", "none"), *((name, it.title) for name, it in PRESETS.items())],
        label="Layout of a publisher",
    )
    map = forms.CharField(
        required=False, label="Columns", help_text="occurred_at=time,lat=Y,lon=X"
    )
    source = forms.CharField(
        required=False,
        max_length=60,
        label="Source",
        help_text="Ids are unique in it: with the same name nothing comes twice.",
    )
    times_in = forms.CharField(
        required=False,
        label="Zone of times without an offset",
        help_text="The region's else.",
    )
    time_format = forms.CharField(
        required=False, label="Format of times", help_text="%m/%d/%Y %I:%M %p"
    )
    more = forms.CharField(
        required=False,
        label="More options",
        help_text="As manage.py import_events has them: --decimal , --skip-lines 2",
    )
    updates = forms.BooleanField(required=False, label="Correct events that are there")

    def clean_timezone(self) -> str:
        zone: str = self.cleaned_data["timezone"]
        try:
            if zone:
                load_zone(zone)
        except ApplicationError as error:
            raise forms.ValidationError(error.message) from error
        return zone

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        try:
            given["words"] = self._words(given)
            parse_words(given["words"])
        except (ApplicationError, ValueError) as error:
            self.add_error("more", str(error))
        return given

    def _words(self, given: dict[str, Any]) -> list[str]:
        words = [
            word
            for field, option in OPTIONS.items()
            if given.get(field)
            for word in (option, given[field])
        ]
        return [*words, *shlex.split(given.get("more") or "")]

    def instructions(self) -> EventInstructions:
        given = self.cleaned_data
        new = None
        if given["create"]:
            new = NewRegion(
                name=given["name"] or given["region"],
                timezone=given["timezone"] or given["times_in"] or "UTC",
                resolution=given["resolution"],
                is_public=given["is_public"],
            )
        return EventInstructions(
            region=given["region"],
            new=new,
            words=given["words"],
            updates=given["updates"],
        )


class AssetsForm(forms.Form):
    """Which portfolio the assets go to, and how the file is read."""

    portfolio = forms.CharField(
        max_length=200, label="Portfolio", help_text="Its name."
    )
    currency = forms.RegexField(
        r"^[A-Za-z]{3}$",
        required=False,
        label="Currency",
        help_text="USD; makes the portfolio if it is new.",
    )
    layout = forms.ChoiceField(
        required=False,
        choices=[("", "by its header"), *((name, name) for name in FORMATS)],
        label="Layout",
    )
    map = forms.CharField(
        required=False, label="Columns", help_text="id=asset,value=building+contents"
    )
    more = forms.CharField(
        required=False,
        label="More options",
        help_text="As manage.py import_portfolio has them: --decimal , --delimiter ;",
    )
    is_replacing = forms.BooleanField(
        required=False, label="Rows replace assets of their reference"
    )
    is_skipping_unlocated = forms.BooleanField(
        required=False, label="Leave out rows without coordinates"
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        try:
            given["words"] = shlex.split(given.get("more") or "")
            parse_asset_words(given["words"])
        except (ApplicationError, ValueError) as error:
            self.add_error("more", str(error))
        return given

    def instructions(self) -> AssetInstructions:
        given = self.cleaned_data
        return AssetInstructions(
            portfolio=given["portfolio"],
            currency=given["currency"].upper(),
            layout=given["layout"] or None,
            column_map=given["map"],
            words=given["words"],
            is_replacing=given["is_replacing"],
            is_skipping_unlocated=given["is_skipping_unlocated"],
        )


FORMS: dict[str, type[EventsForm] | type[AssetsForm]] = {
    Upload.Kind.EVENTS.value: EventsForm,
    Upload.Kind.ASSETS.value: AssetsForm,
}


def initial_of(upload: Upload, outcome: Mapping[str, Any] | None) -> dict[str, Any]:
    """Fill a form with what was chosen, and with what a dry run found."""
    known: dict[str, Any] = dict(upload.instructions)
    if upload.kind == Upload.Kind.ASSETS:
        more = shlex.join(known.get("words", []))
        return {**known, "map": known.get("column_map", ""), "more": more}
    new = known.pop("new", None)
    chosen = {**known, **(new or {}), "create": new is not None}
    if outcome is None:
        return {**chosen, **_fields_of(known.get("words", []))}
    if chosen.get("resolution") is None:
        chosen["resolution"] = outcome["resolution"]
    return {**chosen, **_fields_of(shlex.split(outcome["words"]))}


def _fields_of(words: Sequence[str]) -> dict[str, str]:
    fields, more = {}, list(words)
    for field, option in OPTIONS.items():
        if option in more[:-1]:
            at = more.index(option)
            fields[field] = more[at + 1]
            del more[at : at + 2]
    return {**fields, "more": shlex.join(more)}
