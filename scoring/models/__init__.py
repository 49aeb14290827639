"""The domain's tables; import them from here."""

from scoring.models.forecast import Forecast, ForecastArrays
from scoring.models.model_version import ModelArtifact, ModelVersion
from scoring.models.region import Cell, Region

__all__ = [
    "Cell",
    "Forecast",
    "ForecastArrays",
    "ModelArtifact",
    "ModelVersion",
    "Region",
]
