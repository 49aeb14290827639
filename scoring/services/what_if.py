"""What a forecast would cost assets that nobody has stored; nothing is kept."""

from collections.abc import Sequence
from typing import NamedTuple

from perf.deadlines import check_deadline
from riskplatform.api.keys.access import access_of_organisation
from riskplatform.api.keys.models import Organisation
from scoring.engine.errors import EngineError
from scoring.engine.losses import losses_of
from scoring.errors import NotAssessableError, VulnerabilityNotFoundError
from scoring.models import Forecast
from scoring.selectors.assessment_figures import AssessmentFigures, measure
from scoring.selectors.assessment_inputs import (
    load_damage_ratios,
    load_scenarios,
    place_exposure,
)
from scoring.selectors.exposures import GivenAsset, exposure_of
from scoring.selectors.portfolios import find_vulnerabilities, get_forecast_to_assess
from scoring.selectors.regions import find_known_region
from scoring.services.assessments import AssessmentTerms


class WhatIf(NamedTuple):
    forecast: Forecast
    figures: AssessmentFigures


def assess_assets(
    organisation: Organisation, assets: Sequence[GivenAsset], terms: AssessmentTerms
) -> WhatIf:
    """Assess assets against a forecast of the region that the terms name.

    Raises
    ------
    NotAssessableError
        None of them lies in the region.
    VulnerabilityNotFoundError, ForecastNotFoundError, RegionNotFoundError
    """
    access = access_of_organisation(organisation.pk)
    region = find_known_region(terms.region or "", access=access)
    forecast = get_forecast_to_assess(
        region,
        horizon_sec=terms.horizon_sec,
        moment=terms.moment,
        model_version=terms.model_version,
    )
    scenarios = load_scenarios(forecast)
    named = {each.vulnerability for each in assets if each.vulnerability}
    curves = find_vulnerabilities(organisation, named)
    for index, asset in enumerate(assets):
        if asset.vulnerability not in {None, *curves}:
            raise VulnerabilityNotFoundError(
                f"There is no vulnerability {asset.vulnerability!r}.",
                field=("assets", index, "vulnerability"),
            )
    exposure = place_exposure(exposure_of(assets, region, curves), scenarios.cells)
    if exposure.table is None:
        raise NotAssessableError(
            f"No asset lies in region {region.slug!r}.", field="assets"
        )
    try:
        ratios = load_damage_ratios(forecast, exposure)
        losses = losses_of(
            scenarios.events, exposure.table, ratios, on_block=check_deadline
        )
    except EngineError as error:
        raise NotAssessableError(str(error)) from error
    figures = measure(
        exposure,
        exposure.table,
        scenarios,
        losses=losses,
        quantiles=sorted(terms.quantiles),
    )
    return WhatIf(forecast, figures)
