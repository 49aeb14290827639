"""A portfolio is assessed, alone, with others and by a job, and watched."""

from importlib import import_module
from typing import Any

import pytest

from perf.jobs.runner import run_next_job
from scoring.models import Portfolio
from scoring.selectors.assessment_inputs import forget_inputs
from tests.contract.walking import (
    Cast,
    require_answered_once,
    require_guarded,
    require_known_fields,
    require_unchanged,
)
from tests.support.factories import (
    CENTRE,
    DAY_S,
    make_organisation,
    make_portfolio,
    make_region,
)
from tests.support.forecasts_with_events import make_forecast_with_events

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]
# The worker loads its runners like this.
import_module("scoring.tasks")


@pytest.fixture(autouse=True)
def forecast(db: None) -> None:
    forget_inputs()
    make_forecast_with_events(make_region())


def make_filled(name: str) -> Portfolio:
    return make_portfolio(make_organisation("acme"), name=name, n_assets=1)


def test_a_portfolio_is_assessed(cast: Cast) -> None:
    portfolio = make_filled("Shops")
    known: dict[str, Any] = {"portfolio_id": portfolio.pk}
    told = require_answered_once(
        cast.acme,
        "assess",
        bodies=({"horizon_sec": DAY_S}, {"horizon_sec": 1}),
        **known,
    )
    assert 0 < told.risk_score < 1
    assert list(told.var.to_dict()) == ["0.9", "0.95", "0.99"]
    (cell,) = told.top_cells
    (asset,) = told.top_assets
    assert (cell.asset_count, asset.reference) == (1, "a-0")
    (kept,) = cast.acme.get("assessments_list", **known).results
    assert kept.id == told.id
    require_unchanged(cast.acme, "assessments_read", path={"assessment_id": told.id})
    require_known_fields(cast.acme, "assess", body={}, path=known)
    require_guarded(cast, "assess", body={}, **known)
    require_guarded(cast, "assessments_read", assessment_id=told.id)
    shown = cast.acme.get("dashboard", **known)
    assert shown.metrics.data.assessment.id == told.id
    assert (shown.events.data.count, shown.alerts.data.rule_count) == (0, 0)
    hours = cast.acme.get("metrics_report", region="chicago", limit=2).results
    assert [(row.region, row.observed_count) for row in hours] == [("chicago", 0)]
    require_guarded(cast, "metrics_report", is_shared=True)


def test_assets_that_nobody_stores_are_assessed(cast: Cast) -> None:
    lat, lon = CENTRE
    asset = {"reference": "made", "lat": lat, "lon": lon, "value": "10.00"}
    body = {"region": "chicago", "assets": [asset]}
    told = cast.acme.get("assess_what_if", body=body)
    (contribution,) = told.top_assets
    assert (contribution.reference, contribution.asset_id) == ("made", None)
    assert told.region == "chicago"
    require_guarded(cast, "assess_what_if", is_shared=True, body=body)
    require_known_fields(cast.acme, "assess_what_if", body=body)


def test_few_are_assessed_at_once_and_many_by_a_job(cast: Cast) -> None:
    ids = [str(make_filled(name).pk) for name in ("One", "Two")]
    few = {"portfolio_ids": ids}
    batch = require_answered_once(
        cast.acme, "assess_batch", bodies=(few, {"portfolio_ids": ids[:1]})
    )
    assert [str(result.portfolio_id) for result in batch.results] == ids
    assert all(result.problem is None for result in batch.results)
    foreign = cast.other.get("assess_batch", body=few).results
    assert {result.problem["code"] for result in foreign} == {"portfolio_not_found"}
    require_guarded(cast, "assess_batch", is_shared=True, body=few)
    require_known_fields(cast.acme, "assess_batch", body=few)

    many = {"portfolio_ids": [*ids, *(f"{number:032x}" for number in range(60))]}
    job, second = (cast.acme.get("assess_batch", body=many) for _ in range(2))
    known = {"job_id": job.id}
    run_next_job()
    done = cast.acme.get("jobs_get", **known)
    assert (done.state, done.done, done.total) == ("succeeded", 62, 62)
    cancelled = cast.acme.get("jobs_cancel", job_id=second.id)
    assert cancelled.state == "cancelled"
    assert cast.acme.get("jobs_retry", job_id=second.id).state == "queued"
    queued = cast.acme.get("jobs_list", state="queued").results
    assert [one.id for one in queued] == [second.id]
    require_unchanged(cast.acme, "jobs_get", path=known)
    for operation_id in ("jobs_get", "jobs_cancel", "jobs_retry"):
        require_guarded(cast, operation_id, **known)
