"""For each list of the API a maker of its rows, which gives the list's address."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from uuid import uuid4

from django.db.models import Model

from analytics.models import InboxEvent, IngestBatch, RefusedEvent
from perf.jobs.models import Job
from riskplatform.api.keys.models import Organisation
from scoring.models import (
    Alert,
    AlertRule,
    Assessment,
    Portfolio,
    Region,
    Vulnerability,
    Webhook,
    WebhookDelivery,
)
from tests.support import domain_rows, event_rows
from tests.support.chicago import NOW
from tests.support.factories import make_asset, make_portfolio, make_region

Numbers = Iterable[int]
ListMaker = Callable[[Organisation, Numbers], str]
API = "/api/v1"


def owned(model: type[Model], make: Callable[[int], object], path: str) -> ListMaker:
    """Make rows as staff pages have them, and give them to the organisation."""

    def rows(organisation: Organisation, numbers: Numbers) -> str:
        for number in numbers:
            make(number)
        model._default_manager.update(organisation=organisation)
        return f"{API}/{path}"

    return rows


def open_to_all(make: Callable[[int], object], path: str) -> ListMaker:
    def rows(organisation: Organisation, numbers: Numbers) -> str:
        for number in numbers:
            make(number)
        return f"{API}/{path}"

    return rows


def portfolio_alerts(organisation: Organisation, numbers: Numbers) -> str:
    owned(AlertRule, domain_rows.alert, "alerts")(organisation, numbers)
    portfolio = Portfolio.objects.earliest("pk")
    Portfolio.objects.filter(pk=portfolio.pk).update(organisation=organisation)
    AlertRule.objects.update(portfolio=portfolio)
    return f"{API}/alerts/{portfolio.pk}"


def alert_history(organisation: Organisation, numbers: Numbers) -> str:
    owned(AlertRule, domain_rows.alert, "alerts")(organisation, numbers)
    return f"{API}/alerts/{Alert.objects.earliest('pk').pk}/history"


def assets(organisation: Organisation, numbers: Numbers) -> str:
    if not Region.objects.exists():
        make_region()
    portfolio = Portfolio.objects.first() or make_portfolio(organisation)
    for number in numbers:
        curve = domain_rows.vulnerability(number)
        make_asset(portfolio, f"a-{number}", vulnerability=curve)
    return f"{API}/portfolios/{portfolio.pk}/assets"


def assessments(organisation: Organisation, numbers: Numbers) -> str:
    for number in numbers:
        domain_rows.assessment(number)
    portfolio = Portfolio.objects.earliest("pk")
    Portfolio.objects.filter(pk=portfolio.pk).update(organisation=organisation)
    Assessment.objects.update(portfolio=portfolio)
    return f"{API}/portfolios/{portfolio.pk}/assessments"


def deliveries(organisation: Organisation, numbers: Numbers) -> str:
    owned(Webhook, domain_rows.delivery, "webhooks")(organisation, numbers)
    webhook = Webhook.objects.earliest("pk")
    WebhookDelivery.objects.update(webhook=webhook)
    return f"{API}/webhooks/{webhook.pk}/deliveries"


def events(organisation: Organisation, numbers: Numbers) -> str:
    if not Region.objects.exists():
        make_region()
    for number in numbers:
        event_rows.event(number)
    return f"{API}/events?region=chicago&from=1970-01-01T00:00:00Z"


def rejections(organisation: Organisation, numbers: Numbers) -> str:
    for number in numbers:
        RefusedEvent.objects.create(
            batch=event_rows.batch(number, organisation),
            organisation=organisation,
            source="police",
            row_index=0,
            code=f"code-{number}",
            reason="The row says no time.",
        )
    return f"{API}/events/rejections"


def fates(organisation: Organisation, numbers: Numbers) -> str:
    first = IngestBatch.objects.first()
    post = first.post if first is not None else uuid4()
    for number in numbers:
        event_rows.parked(number)
        batch = IngestBatch.objects.latest("pk")
        batch.post, batch.organisation = post, organisation
        batch.first_index = number
        batch.received_at = NOW + timedelta(seconds=number)
        batch.save()
    InboxEvent.objects.update(row_index=0)
    return f"{API}/events/batches/{post}"


LIST_MAKERS: dict[str, ListMaker] = {
    f"{API}/alert-rules": owned(AlertRule, domain_rows.alert_rule, "alert-rules"),
    f"{API}/alerts": owned(AlertRule, domain_rows.alert, "alerts"),
    f"{API}/alerts/{{portfolio_id}}": portfolio_alerts,
    f"{API}/alerts/{{alert_id}}/history": alert_history,
    f"{API}/events": events,
    f"{API}/events/batches/{{batch_id}}": fates,
    f"{API}/events/rejections": rejections,
    f"{API}/forecasts": open_to_all(domain_rows.forecast, "forecasts"),
    f"{API}/jobs": owned(Job, domain_rows.job, "jobs"),
    f"{API}/metrics": open_to_all(domain_rows.forecast, "metrics"),
    f"{API}/models": open_to_all(domain_rows.model_version, "models"),
    f"{API}/portfolios": owned(Portfolio, domain_rows.portfolio, "portfolios"),
    f"{API}/portfolios/{{portfolio_id}}/assets": assets,
    f"{API}/portfolios/{{portfolio_id}}/assessments": assessments,
    f"{API}/regions": open_to_all(domain_rows.region, "regions"),
    f"{API}/vulnerabilities": owned(
        Vulnerability, domain_rows.vulnerability, "vulnerabilities"
    ),
    f"{API}/webhooks": owned(Webhook, domain_rows.webhook, "webhooks"),
    f"{API}/webhooks/{{webhook_id}}/deliveries": deliveries,
}
