"""The domain's tables; import them from here."""

from scoring.models.alert import Alert, AlertChange, AlertRule, AlertSeverity
from scoring.models.forecast import Forecast, ForecastArrays, ForecastSkill
from scoring.models.model_version import ModelArtifact, ModelSwitch, ModelVersion
from scoring.models.portfolio import (
    Assessment,
    Asset,
    AssetPlace,
    Portfolio,
    Vulnerability,
)
from scoring.models.region import Cell, Region
from scoring.models.upload import Upload
from scoring.models.webhook import Webhook, WebhookDelivery

__all__ = [
    "Alert",
    "AlertChange",
    "AlertRule",
    "AlertSeverity",
    "Assessment",
    "Asset",
    "AssetPlace",
    "Cell",
    "Forecast",
    "ForecastArrays",
    "ForecastSkill",
    "ModelArtifact",
    "ModelSwitch",
    "ModelVersion",
    "Portfolio",
    "Region",
    "Upload",
    "Vulnerability",
    "Webhook",
    "WebhookDelivery",
]
