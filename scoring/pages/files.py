"""Pages that take a file: upload it, look at what a dry run says, import it."""

from typing import Any, cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from analytics.errors import RegionNotFoundError
from riskplatform.api.keys.access import (
    CHANGE_MODELS,
    Access,
    access_of,
    may_change_models,
    models_changed,
)
from riskplatform.api.keys.models import Organisation, Scope
from riskplatform.api.keys.principal import principal_of_user
from riskplatform.kernel.errors import ApplicationError
from scoring.models import Portfolio, Region, Upload
from scoring.pages.file_forms import (
    FORMS,
    AssetsForm,
    EventsForm,
    UploadForm,
    initial_of,
)
from scoring.services.imports.instructions import EventInstructions, Instructions
from scoring.services.imports.uploads import (
    is_unfinished,
    queue_import,
    receive_upload,
)
from scoring.services.registry.fitting import queue_fit

SHOWN_UPLOADS = 20


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def files(request: HttpRequest) -> HttpResponse:
    """List a person's files, and take another one."""
    user, kind = _user(request), request.POST.get("kind", "")
    forms = {
        each: (UploadForm(user, for_staff=each == Upload.Kind.EVENTS), FORMS[each]())
        for each in FORMS
    }
    if kind in FORMS:
        for_staff = kind == Upload.Kind.EVENTS
        sent = UploadForm(user, request.POST, request.FILES, for_staff=for_staff)
        forms[kind] = (sent, FORMS[kind](request.POST))
        upload = _receive(user, kind, *forms[kind])
        if upload is not None:
            return redirect("file", upload.pk)
    context = {
        "events": forms[Upload.Kind.EVENTS],
        "assets": forms[Upload.Kind.ASSETS],
        "uploads": Upload.objects.filter(user=user).select_related("job")[
            :SHOWN_UPLOADS
        ],
        "regions": _slugs(user),
        "portfolios": _portfolios(user),
    }
    return render(request, "files/files.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def file(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """Show how a file would be read and what came of it; check or import it."""
    user = _user(request)
    mine = Upload.objects.filter(user=user).select_related("organisation", "job")
    upload = get_object_or_404(mine, pk=upload_id)
    outcome = _outcome(upload)
    form_class = FORMS[upload.kind]
    if request.method != "POST":
        form = form_class(initial=initial_of(upload, outcome))
    else:
        form = form_class(request.POST)
        if form.is_valid() and _carry_out(request, upload, form):
            return redirect("file", upload.pk)
    context = {
        "upload": upload,
        "form": form,
        "outcome": outcome,
        "is_busy": upload.job is not None and is_unfinished(upload.job),
        "is_imported": outcome is not None and not _is_dry_run(upload),
        "region": upload.instructions.get("region"),
    }
    return render(request, "files/file.html", context)


def _receive(
    user: User, kind: str, file: UploadForm, form: EventsForm | AssetsForm
) -> Upload | None:
    """Keep the file and queue its dry run; None where a form is not right."""
    # Both say what is wrong.
    if not all([file.is_valid(), form.is_valid()]):
        return None
    given = file.cleaned_data
    instructions = form.instructions()
    try:
        _require(user, given["organisation"], instructions)
        upload = receive_upload(
            given["file"].chunks(),
            name=given["file"].name,
            kind=Upload.Kind(kind),
            user=user,
            organisation=given["organisation"],
        )
        queue_import(upload, instructions, dry_run=True)
    except ApplicationError as error:
        form.add_error(None, error.message)
        return None
    return upload


def _carry_out(
    request: HttpRequest, upload: Upload, form: EventsForm | AssetsForm
) -> bool:
    """Queue what the button says; False where it cannot be, which the form says."""
    user, instructions = _user(request), form.instructions()
    try:
        region = _require(user, upload.organisation, instructions)
        if request.POST.get("action") == "fit" and region is not None:
            queue_fit(region, organisation=upload.organisation)
        else:
            is_import = request.POST.get("action") == "import"
            queue_import(upload, instructions, dry_run=not is_import)
    except ApplicationError as error:
        form.add_error(None, error.message)
        return False
    return True


def _require(
    user: User, organisation: Organisation | None, instructions: Instructions
) -> Region | None:
    """Refuse what a person may not do; give the region where there is one."""
    access = _access(user, organisation)
    if not isinstance(instructions, EventInstructions):
        if Scope.PORTFOLIOS_WRITE.value not in access.scopes:
            raise PermissionDenied
        return None
    region = Region.objects.filter(slug=instructions.region).first()
    if region is None:
        if not access.has(CHANGE_MODELS):
            raise PermissionDenied
        if instructions.new is None:
            raise RegionNotFoundError(
                f"There is no region {instructions.region!r}. Have it made, or correct"
                " its slug."
            )
    elif not may_change_models(access, region):
        raise PermissionDenied
    return region


def _access(user: User, organisation: Organisation | None) -> Access:
    """Give what a person may do for an organisation, or for the installation."""
    if organisation is None:
        return access_of(None, user)
    principal = principal_of_user(user, organisation.slug)
    return access_of(principal, AnonymousUser())


def _outcome(upload: Upload) -> dict[str, Any] | None:
    """Give what came of the last job, where it has come to its end."""
    job = upload.job
    return None if job is None or is_unfinished(job) else job.result


def _is_dry_run(upload: Upload) -> bool:
    return upload.job is None or bool(upload.job.parameters["dry_run"])


def _slugs(user: User) -> list[str]:
    organisations = Organisation.objects.filter(memberships__user=user)
    accesses = [_access(user, it) for it in (None, *organisations)]
    seen = {
        slug
        for access in accesses
        for slug in Region.objects.filter(models_changed(access)).values_list(
            "slug", flat=True
        )
    }
    return sorted(seen)


def _portfolios(user: User) -> list[str]:
    mine = Portfolio.objects.filter(organisation__memberships__user=user)
    return sorted(set(mine.values_list("name", flat=True)[:1_000]))


def _user(request: HttpRequest) -> User:
    return cast("User", request.user)
