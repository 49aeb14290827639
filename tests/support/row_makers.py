"""For each staff page a maker of its rows; a page without one fails its test."""

from collections.abc import Callable

from django.contrib.auth.models import Group, User
from django.db.models import Model

from analytics import models as analytics
from perf.jobs.models import Job, PeriodicRun
from perf.monitoring.models import MetricReading
from perf.realtime.models import Announcement
from riskplatform.api.keys.models import ApiKey, Membership, Organisation
from riskplatform.api.keys.services import issue_key
from scoring import models as scoring
from tests.support import domain_rows, event_rows
from tests.support.domain_rows import owner

RowMaker = Callable[[int], object]


def make_choices() -> None:
    """Make two of what lists are filtered by: a filter with one choice is left out."""
    for number in (98, 99):
        owner(number)
        domain_rows.region(number)
        group(number)


def user(number: int) -> User:
    made = User.objects.create_user(f"person-{number}", password="p")
    made.groups.set(Group.objects.all())
    return made


def group(number: int) -> None:
    Group.objects.create(name=f"group-{number}")


def membership(number: int) -> None:
    Membership.objects.create(user=user(number), organisation=owner(number))


def api_key(number: int) -> None:
    issue_key(owner(number), name="feed", scopes=["scores:read"])


def upload(number: int) -> None:
    scoring.Upload.objects.create(
        kind=scoring.Upload.Kind.values[number % 2],
        name=f"calls-{number}.csv",
        size_bytes=number,
        user=user(number),
        organisation=owner(number),
        job=Job.objects.create(kind="import-file", state=Job.State.FAILED),
    )


def metric_reading(number: int) -> None:
    MetricReading.objects.create(
        seconds=30.0,
        counts={"availability": [[[], 0, number]]},
        points={"Requests": {"answered": number}},
    )


ROW_MAKERS: dict[type[Model], RowMaker] = {
    User: user,
    Group: group,
    Organisation: owner,
    Membership: membership,
    ApiKey: api_key,
    scoring.Region: domain_rows.region,
    scoring.Cell: domain_rows.region,
    scoring.ModelVersion: domain_rows.model_version,
    scoring.ModelSwitch: domain_rows.model_switch,
    scoring.Forecast: domain_rows.forecast,
    scoring.ForecastSkill: domain_rows.skill,
    scoring.Portfolio: domain_rows.portfolio,
    scoring.Asset: domain_rows.asset,
    scoring.Vulnerability: domain_rows.vulnerability,
    scoring.Assessment: domain_rows.assessment,
    scoring.AlertRule: domain_rows.alert_rule,
    scoring.Alert: domain_rows.alert,
    scoring.Webhook: domain_rows.webhook,
    scoring.WebhookDelivery: domain_rows.delivery,
    scoring.Upload: upload,
    Job: domain_rows.job,
    Announcement: domain_rows.announcement,
    MetricReading: metric_reading,
    PeriodicRun: domain_rows.periodic_run,
    analytics.IngestBatch: event_rows.batch,
    analytics.Shipment: event_rows.shipment,
    analytics.ParkedEvent: event_rows.parked,
    analytics.ImportSource: event_rows.import_source,
    analytics.ImportRun: event_rows.import_run,
    analytics.Event: event_rows.event,
    analytics.EventHour: event_rows.rollup,
    analytics.EventDay: event_rows.rollup,
    analytics.EventCellDay: event_rows.rollup,
    analytics.ForecastCell: event_rows.ledgered,
    analytics.ForecastOutcome: event_rows.ledgered,
}
