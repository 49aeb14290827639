"""Staff pages of the domain; importing this package registers them."""

from scoring.admin.forecasts import ForecastAdmin
from scoring.admin.model_versions import ModelVersionAdmin
from scoring.admin.regions import CellAdmin, RegionAdmin

__all__ = ["CellAdmin", "ForecastAdmin", "ModelVersionAdmin", "RegionAdmin"]
