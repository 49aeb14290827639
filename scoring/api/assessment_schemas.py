"""What the API of assessments takes and gives."""

from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct, field

from riskplatform.api.paging import PageQuery
from scoring.api.portfolio_schemas import Money
from scoring.api.schemas import AwareTime, HorizonSec, Probability, Slug
from scoring.horizons import DAY_S
from scoring.services.assessments.assessing import QUANTILES
from scoring.services.assessments.batches import MOST

Quantile = Annotated[
    float, Meta(gt=0, lt=1, description="With six decimal places at most.")
]
ModelVersionName = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9_]{1,40}-[0-9]{1,9}$",
        description="As answers name it; the newest forecast's if not given.",
    ),
]
MoneyByQuantile = Annotated[
    dict[str, Money], Meta(description="By quantile, as in 0.95.")
]


class AssessmentRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    horizon_sec: HorizonSec = DAY_S
    time: (
        Annotated[
            AwareTime, Meta(description="The newest forecast issued by then counts.")
        ]
        | None
    ) = None
    model_version: ModelVersionName | None = None
    quantiles: Annotated[list[Quantile], Meta(min_length=1, max_length=20)] = field(
        default_factory=lambda: list(QUANTILES)
    )
    region: (
        Annotated[
            Slug, Meta(description="Needed where assets lie in more than one region.")
        ]
        | None
    ) = None


class BatchRequest(AssessmentRequest, forbid_unknown_fields=True, kw_only=True):
    portfolio_ids: Annotated[list[UUID], Meta(min_length=1, max_length=MOST)]


class CurvePoint(Struct):
    exceedance_probability: Probability
    loss: Money


class VarInterval(Struct):
    """Holds the true value with probability 0.95; `high` is null if unbounded."""

    low: Money
    high: Money | None


class MonteCarloError(Struct):
    """Standard errors of expected_loss and tvar, an interval of var."""

    n_scenarios: int
    expected_loss: Money
    var: dict[str, VarInterval]
    tvar: MoneyByQuantile


class CellContribution(Struct):
    cell_id: int
    cell_hex: str
    asset_count: int
    value: Money
    p_event: Probability
    expected_loss: Money
    tvar_contribution: Money


class AssetContribution(Struct):
    asset_id: UUID
    reference: str
    cell_id: int
    cell_hex: str
    value: Money
    expected_loss: Money
    tvar_contribution: Money


class ExposureTotals(Struct):
    count: int
    value: Money


class AssessmentSummary(Struct):
    id: UUID
    portfolio_id: UUID
    portfolio_revision: int
    region: str
    forecast_id: UUID
    model_version: str
    time: AwareTime
    horizon_sec: int
    currency: str
    risk_score: Probability
    expected_loss: Money
    created_at: AwareTime


class AssessmentDetail(AssessmentSummary):
    loss_probability: Probability
    var: MoneyByQuantile
    tvar: MoneyByQuantile
    aep: list[CurvePoint]
    oep: list[CurvePoint]
    monte_carlo_error: MonteCarloError
    contribution_quantile: float
    top_cells: list[CellContribution]
    top_assets: list[AssetContribution]
    inside: ExposureTotals
    outside: ExposureTotals


class AssessmentList(Struct):
    results: list[AssessmentSummary]
    next: str | None


class AssessmentQuery(PageQuery, forbid_unknown_fields=True):
    pass


class BatchItem(Struct):
    """One of `assessment` and `problem` is null."""

    portfolio_id: UUID
    assessment: AssessmentDetail | None
    problem: dict[str, Any] | None


class BatchAnswer(Struct):
    results: list[BatchItem]
