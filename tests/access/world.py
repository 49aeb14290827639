"""Two organisations with one thing of each kind, and regions of every ownership."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.utils import timezone

from analytics.models import IngestBatch
from perf.jobs.models import Job
from riskplatform.api.keys.models import Organisation
from scoring.models import (
    AlertRule,
    Assessment,
    Forecast,
    ForecastSkill,
    Portfolio,
    Region,
    Webhook,
    WebhookDelivery,
)
from tests.support.factories import (
    DAY_S,
    ISSUED_FOR,
    make_alert,
    make_asset,
    make_organisation,
    make_portfolio,
    make_region,
    make_vulnerability,
)
from tests.support.forecasts_with_events import make_forecast_with_events

# Slug, owner, and whether it is public.
REGIONS = (
    ("shared", None, True),
    ("shared-by-acme", "acme", True),
    ("of-acme", "acme", False),
    ("of-other", "other", False),
    ("of-nobody", None, False),
)
ORGANISATIONS = ("acme", "other")


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """What a request is about: its owner, and the words that name it."""

    owner: str
    is_public: bool = False
    words: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    regions: list[Thing]
    objects: list[Thing]


def make_world() -> World:
    regions = [_region(slug, owner, is_public) for slug, owner, is_public in REGIONS]
    objects = [_objects(make_organisation(slug)) for slug in ORGANISATIONS]
    return World(regions=regions, objects=objects)


def _region(slug: str, owner: str | None, is_public: bool) -> Thing:
    owned_by = None if owner is None else make_organisation(owner)
    region = make_region(slug, is_public=is_public, owner=owned_by, rings=1)
    forecast = make_forecast_with_events(region)
    ForecastSkill.objects.create(
        forecast=forecast,
        observed_count=5,
        log_score=-10.0,
        brier_score=0.1,
        gain=0.2,
        n_test_low=0.5,
        n_test_high=0.5,
    )
    version = forecast.model_version
    words = {
        "slug": slug,
        "cell": region.cells.earliest("h3").h3,
        "forecast_id": forecast.pk,
        "version_id": version.pk,
        "version": str(version),
        "name": "top-cells",
        "z": 9,
        "x": 0,
        "y": 0,
    }
    return Thing(owner=owner or "", is_public=is_public, words=words)


def _objects(owner: Organisation) -> Thing:
    forecast = Forecast.objects.get(region__slug="shared")
    portfolio = make_portfolio(owner)
    rule = _rule(owner, portfolio, forecast.region)
    webhook = Webhook.objects.create(
        organisation=owner, name="pager", url="https://a.example.com/"
    )
    made: dict[str, Any] = {
        "portfolio_id": portfolio,
        "asset_id": make_asset(portfolio),
        "assessment_id": _assessment(portfolio, forecast),
        "rule_id": rule,
        "alert_id": make_alert(rule, forecast),
        "webhook_id": webhook,
        "delivery_id": _delivery(webhook),
        "job_id": Job.objects.create(kind="tested", organisation=owner),
    }
    words = {
        **{name: one.pk for name, one in made.items()},
        "batch_id": _batch(owner).post,
        "slug": make_vulnerability(owner, slug=f"curve-of-{owner.slug}").slug,
        "public": "shared",
        "soon": (timezone.now() + timedelta(hours=1)).isoformat(),
    }
    return Thing(owner=owner.slug, words=words)


def _rule(owner: Organisation, portfolio: Portfolio, region: Region) -> AlertRule:
    return AlertRule.objects.create(
        organisation=owner,
        name="rule",
        region=region,
        portfolio=portfolio,
        horizon_sec=DAY_S,
        metric=AlertRule.Metric.EXPECTED_COUNT,
        threshold=0.5,
    )


def _delivery(webhook: Webhook) -> WebhookDelivery:
    return WebhookDelivery.objects.create(
        webhook=webhook,
        occasion="webhook.test",
        body=b"{}",
        due_at=ISSUED_FOR,
        state=WebhookDelivery.State.SENT,
    )


def _assessment(portfolio: Portfolio, forecast: Forecast) -> Assessment:
    return Assessment.objects.create(
        portfolio=portfolio,
        portfolio_revision=99,
        forecast=forecast,
        quantiles="0.99",
        risk_score=0.5,
        expected_loss=Decimal("1.00"),
        figures={
            "loss_probability": 0.5,
            "var": {"0.95": "1.00"},
            "tvar": {"0.95": "1.00"},
            "aep": [],
            "oep": [],
            "monte_carlo_error": {
                "n_scenarios": 100,
                "expected_loss": "0.10",
                "var": {"0.95": {"low": "0.90", "high": None}},
                "tvar": {"0.95": "0.10"},
            },
            "contribution_quantile": 0.95,
            "top_cells": [],
            "top_assets": [],
            "inside": {"count": 1, "value": "1.00"},
            "outside": {"count": 0, "value": "0.00"},
        },
    )


def _batch(owner: Organisation) -> IngestBatch:
    return IngestBatch.objects.create(
        post=uuid4(),
        organisation=owner,
        received_at=timezone.now(),
        row_count=1,
        accepted_count=1,
        duplicate_count=0,
        refused_count=0,
    )
