"""The rules of scoring that can be broken."""

from typing import TypeVar

from riskplatform.kernel.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)

Row = TypeVar("Row")


def require(row: Row | None, missing: NotFoundError) -> Row:
    """Give what was looked for; where there is none, raise `missing`."""
    if row is None:
        raise missing
    return row


class RegionMismatchError(ConflictError):
    code = "region_mismatch"
    title = "The region exists with another grid"


class BoundaryError(InvalidInputError):
    code = "boundary_invalid"
    title = "The boundary is not one of a region"


class ForecastNotFoundError(NotFoundError):
    code = "forecast_not_found"
    title = "There is no such forecast"


class CellNotInRegionError(InvalidInputError):
    code = "cell_not_in_region"
    title = "A cell does not belong to the region"


class TooFewEventsError(InvalidInputError):
    code = "too_few_events"
    title = "There are too few events to learn from"


class ForecastRefusedError(ConflictError):
    """`expected_count` is what was forecast, `plausible` what the record allows."""

    code = "forecast_refused"
    title = "The forecast contradicts the recent record"


class DatasetUnavailableError(UnavailableError):
    code = "dataset_unavailable"
    title = "A published data set cannot be had"


class FeaturesNotUsableError(InvalidInputError):
    code = "features_not_usable"
    title = "The features do not fit the model version"


class ModelVersionNotFoundError(NotFoundError):
    code = "model_version_not_found"
    title = "There is no such model version"


class ModelStateError(ConflictError):
    code = "model_state"
    title = "The model version is in another state"


class ModelOutdatedError(ConflictError):
    code = "model_outdated"
    title = "The model version has to be fitted again"


class PromotionRefusedError(ConflictError):
    """`gate` holds the figures, and which of them failed."""

    code = "promotion_refused"
    title = "The model version did not pass the gate"


class NoEarlierChampionError(ConflictError):
    code = "no_earlier_champion"
    title = "There is no champion to go back to"


class ArtifactNotUsableError(InvalidInputError):
    code = "artifact_not_usable"
    title = "The model artifact cannot be used"


class HorizonNotPassedError(ConflictError):
    """`scored_after` says when the outcome will be known."""

    code = "horizon_not_passed"
    title = "The outcome of the forecast is not known yet"


class PortfolioNotFoundError(NotFoundError):
    code = "portfolio_not_found"
    title = "There is no such portfolio"


class PortfolioNameTakenError(ConflictError):
    code = "portfolio_name_taken"
    title = "A portfolio has this name already"


class CurrencyInUseError(ConflictError):
    code = "currency_in_use"
    title = "The assets are valued in another currency"


class AssetNotFoundError(NotFoundError):
    code = "asset_not_found"
    title = "There is no such asset"


class AssetReferenceTakenError(ConflictError):
    code = "asset_reference_taken"
    title = "An asset of the portfolio has this reference already"


class AssetFileError(InvalidInputError):
    code = "asset_file_unusable"
    title = "The file of assets cannot be used"


class AssetRowsError(InvalidInputError):
    code = "asset_rows_invalid"
    title = "Rows of the file cannot be imported"


class VulnerabilityNotFoundError(NotFoundError):
    code = "vulnerability_not_found"
    title = "There is no such vulnerability"


class VulnerabilityTakenError(ConflictError):
    code = "vulnerability_taken"
    title = "A vulnerability has this slug already"


class VulnerabilityInUseError(ConflictError):
    code = "vulnerability_in_use"
    title = "The vulnerability is in use"


class AlertRuleNotFoundError(NotFoundError):
    code = "alert_rule_not_found"
    title = "There is no such alert rule"


class AlertNotFoundError(NotFoundError):
    code = "alert_not_found"
    title = "There is no such alert"


class AlertResolvedError(ConflictError):
    code = "alert_resolved"
    title = "The alert is resolved"


class WebhookNotFoundError(NotFoundError):
    code = "webhook_not_found"
    title = "There is no such webhook"


class DeliveryNotFoundError(NotFoundError):
    code = "delivery_not_found"
    title = "There is no such delivery"


class DeliveryPendingError(ConflictError):
    code = "delivery_pending"
    title = "The delivery is still being tried"


class NameTakenError(ConflictError):
    code = "name_taken"
    title = "Another one has this name"


class QuotaError(ConflictError):
    code = "quota_reached"
    title = "There are as many as an organisation may have"


class WebhookAddressError(InvalidInputError):
    code = "webhook_address_refused"
    title = "The address is not one that messages are sent to"


class AssessmentNotFoundError(NotFoundError):
    code = "assessment_not_found"
    title = "There is no such assessment"


class PortfolioChangingError(ConflictError):
    code = "portfolio_changing"
    title = "The portfolio is being changed"


class NotAssessableError(InvalidInputError):
    code = "not_assessable"
    title = "The portfolio cannot be assessed like this"
