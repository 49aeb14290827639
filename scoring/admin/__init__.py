"""Staff pages of the domain; importing this package registers them."""

from scoring.admin import (
    alert_rules,
    alerts,
    assessments,
    forecasts,
    model_versions,
    portfolios,
    regions,
    vulnerabilities,
    webhooks,
)

__all__ = [
    "alert_rules",
    "alerts",
    "assessments",
    "forecasts",
    "model_versions",
    "portfolios",
    "regions",
    "vulnerabilities",
    "webhooks",
]
