"""The rules of scoring that can be broken."""

from riskplatform.kernel.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)


class RegionNotFoundError(NotFoundError):
    code = "region_not_found"
    title = "There is no such region"


class RegionMismatchError(ConflictError):
    code = "region_mismatch"
    title = "The region exists with another grid"


class ForecastNotFoundError(NotFoundError):
    code = "forecast_not_found"
    title = "There is no such forecast"


class CellNotInRegionError(InvalidInputError):
    code = "cell_not_in_region"
    title = "A cell does not belong to the region"


class TooFewEventsError(InvalidInputError):
    code = "too_few_events"
    title = "There are too few events to learn from"


class DatasetUnavailableError(UnavailableError):
    code = "dataset_unavailable"
    title = "A published data set cannot be had"


class FeaturesNotUsableError(InvalidInputError):
    code = "features_not_usable"
    title = "The features do not fit the model version"
