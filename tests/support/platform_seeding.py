"""A program: fills an empty platform for tests that ask real web processes."""

import sys

import django
import orjson

N_PORTFOLIOS = 3
N_ASSETS = 12


def main() -> None:
    django.setup()
    # The apps have to be there before anything that knows their models.
    from riskplatform.api.keys.models import Scope  # noqa: PLC0415
    from riskplatform.api.keys.services import issue_key  # noqa: PLC0415
    from tests.support import factories  # noqa: PLC0415
    from tests.support.forecasts_with_events import (  # noqa: PLC0415
        make_forecast_with_events,
    )

    for slug, owner in (("chicago", None), ("hidden", "acme"), ("theirs", "other")):
        region = factories.make_region(
            slug,
            is_public=owner is None,
            owner=None if owner is None else factories.make_organisation(owner),
        )
        make_forecast_with_events(region)
    found = {}
    for slug in ("acme", "other"):
        organisation = factories.make_organisation(slug)
        keys = [
            issue_key(organisation, name=f"k{number}", scopes=list(Scope.values))
            for number in range(2)
        ]
        portfolios = [
            factories.make_portfolio(
                organisation, name=f"{slug} {number}", n_assets=N_ASSETS + number
            )
            for number in range(N_PORTFOLIOS)
        ]
        found[slug] = {
            "keys": [key.text.text for key in keys],
            "portfolios": [str(portfolio.pk) for portfolio in portfolios],
        }
    sys.stdout.buffer.write(orjson.dumps(found))


if __name__ == "__main__":
    main()
