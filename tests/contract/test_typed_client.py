"""The client that is generated from the schema works against a real server."""

import importlib
from types import ModuleType
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from scoring.models import Region


def open_client(client_module: ModuleType, server: LiveServer) -> Any:
    return client_module.Client(base_url=server.url)


@pytest.mark.django_db(transaction=True)
def test_the_generated_client_reads_a_risk_map(
    client_module: ModuleType, published_forecast: Region, live_server: LiveServer
) -> None:
    risk_map = importlib.import_module(
        f"{client_module.__name__}.api.risk_map.risk_map"
    )

    with open_client(client_module, live_server) as client:
        answer = risk_map.sync(client=client, region=published_forecast.slug)

    assert answer.region == published_forecast.slug
    assert len(answer.aggregated) == published_forecast.cells.count()
    assert answer.aggregated[0].p_event == answer.aggregated[0].mean_risk


@pytest.mark.django_db(transaction=True)
def test_the_generated_client_gets_a_problem_with_its_code(
    client_module: ModuleType, live_server: LiveServer
) -> None:
    risk_map = importlib.import_module(
        f"{client_module.__name__}.api.risk_map.risk_map"
    )

    with open_client(client_module, live_server) as client:
        problem = risk_map.sync(client=client, region="nowhere")

    assert (problem.status, problem.code) == (404, "region_not_found")
