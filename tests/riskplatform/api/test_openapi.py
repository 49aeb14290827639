import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

PATHS = {
    "/api/v1/reports/{name}",
    "/api/v1/reports",
    "/api/v1/events/export",
    "/api/v1/alert-rules",
    "/api/v1/alert-rules/{rule_id}",
    "/api/v1/alert-rules/{rule_id}/performance",
    "/api/v1/alerts",
    "/api/v1/alerts/{portfolio_id}",
    "/api/v1/alerts/{alert_id}/history",
    "/api/v1/alerts/{alert_id}/acknowledge",
    "/api/v1/alerts/{alert_id}/snooze",
    "/api/v1/webhooks",
    "/api/v1/webhooks/{webhook_id}",
    "/api/v1/webhooks/{webhook_id}/rotate",
    "/api/v1/webhooks/{webhook_id}/test",
    "/api/v1/webhooks/{webhook_id}/deliveries",
    "/api/v1/deliveries/{delivery_id}/redeliver",
    "/api/v1/dashboard/{portfolio_id}",
    "/api/v1/metrics",
    "/api/v1/assess/batch",
    "/api/v1/assess/what-if",
    "/api/v1/assess/{portfolio_id}",
    "/api/v1/assessments/{assessment_id}",
    "/api/v1/events",
    "/api/v1/events/backlog",
    "/api/v1/events/batches/{batch_id}",
    "/api/v1/events/rejections",
    "/api/v1/forecasts",
    "/api/v1/forecasts/{forecast_id}",
    "/api/v1/forecasts/{forecast_id}/skill",
    "/api/v1/jobs",
    "/api/v1/jobs/{job_id}",
    "/api/v1/jobs/{job_id}/cancel",
    "/api/v1/jobs/{job_id}/retry",
    "/api/v1/models",
    "/api/v1/models/{version_id}",
    "/api/v1/models/{version_id}/challenge",
    "/api/v1/models/{version_id}/promote",
    "/api/v1/models/{version_id}/rollback",
    "/api/v1/reload-model",
    "/api/v1/portfolios",
    "/api/v1/portfolios/{portfolio_id}",
    "/api/v1/portfolios/{portfolio_id}/assets",
    "/api/v1/portfolios/{portfolio_id}/assets/import",
    "/api/v1/portfolios/{portfolio_id}/assets/{asset_id}",
    "/api/v1/vulnerabilities",
    "/api/v1/vulnerabilities/{slug}",
    "/api/v1/portfolios/{portfolio_id}/assessments",
    "/api/v1/features/build-window",
    "/api/v1/features/snapshot",
    "/api/v1/regions",
    "/api/v1/regions/{slug}",
    "/api/v1/regions/{slug}/cells",
    "/api/v1/regions/{slug}/boundary",
    "/api/v1/risk-map",
    "/api/v1/risk-map/tiles/{z}/{x}/{y}.mvt",
    "/api/v1/score-snapshot",
    "/api/v1/ws-ticket",
}


def test_the_schema_is_valid_and_raises_no_warning() -> None:
    GENERATOR_STATS.reset()
    schema = SchemaGenerator().get_schema(request=None, public=True)
    validate_schema(schema)
    assert not GENERATOR_STATS
    assert set(schema["paths"]) == PATHS


def test_everything_in_the_schema_is_explained() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    assert schema["info"]["description"].startswith("Calibrated forecasts")
    known = {tag["name"]: tag["description"] for tag in schema["tags"]}
    used = set()
    for methods in schema["paths"].values():
        for operation in methods.values():
            name = operation["operationId"]
            used |= set(operation["tags"])
            assert operation["summary"], name
            assert operation["description"], name
            assert "Base of" not in operation["description"], name
            for parameter in operation.get("parameters", ()):
                assert parameter.get("description"), (name, parameter["name"])
    assert used == known.keys()


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/api/schema/", "/api/docs/"])
def test_the_schema_and_its_page_are_open(address: str, stranger: Client) -> None:
    assert stranger.get(address).status_code == 200


@pytest.mark.django_db
def test_the_page_of_the_schema_loads_nothing_from_elsewhere(stranger: Client) -> None:
    page = stranger.get("/api/docs/").content.decode()
    assert "https://" not in page
    assert "http://" not in page
