import pytest
from django.contrib.auth.models import User
from django.test import Client

from scoring.models import Region
from tests.support.factories import make_forecast, make_region

pytestmark = [pytest.mark.django_db, pytest.mark.databases]


def test_shows_the_newest_forecasts_of_the_first_public_region(
    published_forecast: Region, stranger: Client
) -> None:
    context = stranger.get("/").context
    assert context["region"]["slug"] == "chicago"
    labels = [forecast["label"] for forecast in context["forecasts"]]
    assert labels == ["24 hours", "7 days"]


def test_says_what_to_do_before_there_is_a_region(stranger: Client) -> None:
    assert "manage.py load_demo" in stranger.get("/").content.decode()


@pytest.mark.parametrize("slug", ["nowhere", "secret"])
def test_a_region_that_may_not_be_seen_is_as_absent_as_one_that_is_not(
    slug: str, stranger: Client
) -> None:
    make_forecast(make_region("secret", is_public=False))
    asked = stranger.get("/", {"region": slug})
    assert (asked.status_code, asked.headers["Location"]) == (
        302,
        f"/login/?next=/%3Fregion%3D{slug}",
    )
    stranger.force_login(User.objects.create_user("somebody"))
    assert stranger.get("/", {"region": slug}).status_code == 404
