"""Staff pages of the domain; importing this package registers them."""

from scoring.admin import alerts, forecasts, portfolios, regions, uploads

__all__ = ["alerts", "forecasts", "portfolios", "regions", "uploads"]
