"""Makers of rows of the domain: each row has its own organisation and region."""

from datetime import timedelta
from decimal import Decimal

from perf.jobs.models import Job, PeriodicRun
from perf.realtime.models import Announcement
from riskplatform.api.keys.models import Organisation
from riskplatform.kernel.ids import uuid7
from scoring.models import (
    Alert,
    AlertChange,
    AlertRule,
    Assessment,
    Asset,
    Forecast,
    ForecastSkill,
    ModelArtifact,
    ModelSwitch,
    ModelVersion,
    Region,
    Vulnerability,
    Webhook,
    WebhookDelivery,
)
from tests.support.factories import (
    DAY_S,
    ISSUED_FOR,
    make_alert,
    make_asset,
    make_forecast,
    make_model_version,
    make_organisation,
    make_portfolio,
    make_region,
    make_vulnerability,
)


def owner(number: int) -> Organisation:
    return make_organisation(f"organisation-{number}")


def region(number: int) -> Region:
    found = Region.objects.filter(slug=f"region-{number}").first()
    return found or make_region(f"region-{number}", owner=owner(number), rings=0)


def model_version(number: int) -> ModelVersion:
    made = make_model_version(region(number))
    # The inline of the first version grows with the list.
    ModelArtifact.objects.create(
        model_version=ModelVersion.objects.earliest("pk"),
        horizon_sec=number + 1,
        digest=f"{number:064x}",
        body=b"",
    )
    return made


def forecast(number: int) -> Forecast:
    return make_forecast(region(number), model_version=model_version(number))


def skill(number: int) -> None:
    ForecastSkill.objects.create(
        forecast=forecast(number),
        observed_count=5,
        log_score=-10.0,
        brier_score=0.1,
        gain=0.2,
        n_test_low=0.5,
        n_test_high=0.5,
    )


def model_switch(number: int) -> None:
    after = model_version(number)
    ModelSwitch.objects.create(
        region=after.region, before=after, after=after, reason="reload", actor="a"
    )


def asset(number: int) -> Asset:
    organisation = owner(number)
    # Each region has one cell, so the first asset has a place in each of them.
    region(number)
    return make_asset(
        make_portfolio(organisation, name=f"p-{number}"),
        vulnerability=make_vulnerability(organisation, slug=f"curve-{number}"),
    )


def portfolio(number: int) -> None:
    make_portfolio(owner(number), name=f"p-{number}", n_assets=2)


def vulnerability(number: int) -> Vulnerability:
    return make_vulnerability(owner(number), slug=f"curve-{number}")


def assessment(number: int) -> None:
    Assessment.objects.create(
        portfolio=make_portfolio(owner(number), name=f"p-{number}"),
        portfolio_revision=1,
        forecast=forecast(number),
        quantiles="0.99",
        risk_score=0.5,
        expected_loss=Decimal("1.00"),
        figures={},
    )


def alert_rule(number: int) -> AlertRule:
    return AlertRule.objects.create(
        organisation=owner(number),
        name=f"rule-{number}",
        region=region(number),
        portfolio=make_portfolio(owner(number), name=f"p-{number}"),
        horizon_sec=DAY_S,
        metric=AlertRule.Metric.EXPECTED_COUNT,
        threshold=0.5,
    )


def alert(number: int) -> AlertChange:
    made = make_alert(
        alert_rule(number),
        forecast(number),
        last_seen_at=ISSUED_FOR + timedelta(hours=number),
        was_right=True,
    )
    # The history of the first alert grows with the list.
    first = Alert.objects.earliest("pk")
    AlertChange.objects.create(alert=first, kind="acknowledged", changed_at=ISSUED_FOR)
    return AlertChange.objects.create(alert=made, kind="opened", changed_at=ISSUED_FOR)


def webhook(number: int) -> Webhook:
    return Webhook.objects.create(
        organisation=owner(number),
        name=f"pager-{number}",
        url="https://a.example.com/",
    )


def delivery(number: int) -> None:
    WebhookDelivery.objects.create(
        webhook=webhook(number),
        change=alert(number),
        occasion="alert.opened",
        body=b"{}",
        due_at=ISSUED_FOR,
    )


def job(number: int) -> None:
    Job.objects.create(kind="tested", organisation=owner(number))


def periodic_run(number: int) -> None:
    PeriodicRun.objects.create(name=f"work-{number}", due_at=ISSUED_FOR)


def announcement(number: int) -> None:
    Announcement.objects.create(group=f"g-{number}", message_id=uuid7(), body=b"{}")
