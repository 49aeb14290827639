import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema


def test_the_schema_is_valid_and_raises_no_warning() -> None:
    GENERATOR_STATS.reset()
    schema = SchemaGenerator().get_schema(request=None, public=True)
    validate_schema(schema)
    assert not GENERATOR_STATS
    assert set(schema["paths"]) == {
        "/api/v1/events",
        "/api/v1/events/backlog",
        "/api/v1/events/batches/{batch_id}",
        "/api/v1/events/export",
        "/api/v1/events/rejections",
        "/api/v1/regions",
        "/api/v1/reports",
        "/api/v1/reports/{name}",
        "/api/v1/regions/{slug}",
        "/api/v1/regions/{slug}/cells",
        "/api/v1/regions/{slug}/boundary",
        "/api/v1/risk-map",
        "/api/v1/score-snapshot",
    }


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/api/schema/", "/api/docs/"])
def test_the_schema_and_its_page_are_open(address: str, stranger: Client) -> None:
    assert stranger.get(address).status_code == 200


@pytest.mark.django_db
def test_the_page_of_the_schema_loads_nothing_from_elsewhere(stranger: Client) -> None:
    page = stranger.get("/api/docs/").content.decode()
    assert "https://" not in page
    assert "http://" not in page
