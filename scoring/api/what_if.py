"""POST /assess/what-if: what a forecast would cost assets that are stored nowhere."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct
from rest_framework.request import Request

from riskplatform.api.endpoints import JSON, Router
from riskplatform.api.inputs import refuse_repeats
from riskplatform.api.keys.principal import get_principal
from riskplatform.api.openapi import struct_schema
from scoring.api.assessments import (
    SCOPES,
    AssessmentDetail,
    AssessmentRequest,
    terms_of,
)
from scoring.api.assets import NewAsset
from scoring.api.schemas import Slug, to_cents
from scoring.selectors.exposures import GivenAsset
from scoring.services.what_if import WhatIf, assess_assets

router = Router()
MOST_ASSETS: Final = 5_000
# What only a stored assessment of a portfolio has.
OF_STORED: Final = frozenset(
    {"id", "portfolio_id", "portfolio_revision", "currency", "created_at"}
)
WhatIfAnswer: Final[type[Struct]] = msgspec.defstruct(
    "WhatIfAnswer",
    [
        (known.name, known.type, known.default)
        if known.default is not msgspec.NODEFAULT
        else (known.name, known.type)
        for known in msgspec.structs.fields(AssessmentDetail)
        if known.name not in OF_STORED
    ],
)


class WhatIfRequest(AssessmentRequest, forbid_unknown_fields=True, kw_only=True):
    region: Slug
    assets: Annotated[list[NewAsset], Meta(min_length=1, max_length=MOST_ASSETS)]


@router.post(
    "assess/what-if", *SCOPES, answers={(200, JSON): struct_schema(WhatIfAnswer)}
)
def assess_what_if(request: Request, body: WhatIfRequest) -> Any:
    """Assess assets that the body brings; nothing is stored.

    They lie where those of a portfolio would, and the answer is that of `assess`.
    Amounts are in the currency of the request, and no asset has an id.
    """
    terms = terms_of(body)
    references = (each.reference for each in body.assets)
    refuse_repeats(references, "assets", member="reference")
    assets = [
        GivenAsset(
            reference=each.reference,
            lat=each.lat,
            lon=each.lon,
            value=each.value,
            deductible=each.deductible,
            limit=each.limit,
            vulnerability=each.vulnerability,
        )
        for each in body.assets
    ]
    organisation = get_principal(request).organisation
    return _answer(assess_assets(organisation, assets, terms))


def _answer(found: WhatIf) -> Struct:
    forecast, figures = found
    head = {
        "region": forecast.region.slug,
        "forecast_id": forecast.pk,
        "model_version": str(forecast.model_version),
        "time": forecast.issued_for,
        "horizon_sec": forecast.horizon_sec,
        "risk_score": figures.risk_score,
        "expected_loss": to_cents(figures.expected_loss),
    }
    return msgspec.convert({**head, **figures.details}, WhatIfAnswer)
