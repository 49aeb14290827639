"""A fit says which step begins, and serves before it is back-tested."""

import pytest

from scoring.models import Forecast, ModelVersion
from scoring.services.registry.fitting import FIT_STEPS, fit_model, queue_fit
from tests.support.factories import make_region
from tests.support.random_events import store_random_events

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]


def test_the_map_is_there_before_the_back_test() -> None:
    region = make_region(rings=1)
    store_random_events(region)
    served_at: dict[str, int] = {}

    def note(line: str) -> None:
        served_at[line] = Forecast.objects.filter(is_shadow=False).count()

    fitted = fit_model(region, kind="poisson_glm", progress=note)
    steps = [line for line in served_at if "(step " in line]
    assert [line.split("(step ")[1].split(" of ")[0] for line in steps] == [
        str(number + 1) for number in range(FIT_STEPS)
    ]
    assert "s left)" in steps[-1]
    tested = next(line for line in steps if line.startswith("Back-testing"))
    assert served_at[tested] == 2
    version = ModelVersion.objects.get()
    assert version.pk == fitted.model_version.pk
    assert set(version.skill) == {"86400", "604800"}
    assert version.skill["86400"]["models"]


def test_a_job_knows_how_many_steps_it_has() -> None:
    assert queue_fit(make_region(rings=0)).total == FIT_STEPS
