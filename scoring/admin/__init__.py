"""Staff pages of the domain; importing this package registers them."""

from scoring.admin.alert_rules import AlertRuleAdmin
from scoring.admin.alerts import AlertAdmin
from scoring.admin.assessments import AssessmentAdmin
from scoring.admin.forecasts import ForecastAdmin
from scoring.admin.model_versions import (
    ForecastSkillAdmin,
    ModelSwitchAdmin,
    ModelVersionAdmin,
)
from scoring.admin.portfolios import AssetAdmin, PortfolioAdmin
from scoring.admin.regions import CellAdmin, RegionAdmin
from scoring.admin.vulnerabilities import VulnerabilityAdmin
from scoring.admin.webhooks import WebhookAdmin, WebhookDeliveryAdmin

__all__ = [
    "AlertAdmin",
    "AlertRuleAdmin",
    "AssessmentAdmin",
    "AssetAdmin",
    "CellAdmin",
    "ForecastAdmin",
    "ForecastSkillAdmin",
    "ModelSwitchAdmin",
    "ModelVersionAdmin",
    "PortfolioAdmin",
    "RegionAdmin",
    "VulnerabilityAdmin",
    "WebhookAdmin",
    "WebhookDeliveryAdmin",
]
