"""The tail loss of the portfolio that an alert rule watches."""

from scoring.errors import NotAssessableError
from scoring.models import AlertRule, Forecast
from scoring.selectors.assessment_figures import quantile_text
from scoring.services.assessments.assessing import assess_against


def portfolio_tvar(rule: AlertRule, forecast: Forecast) -> float | None:
    """Return the TVaR of the rule's portfolio; None if there is nothing to lose."""
    if rule.portfolio is None or rule.quantile is None:
        return None
    forecast.region = rule.region
    try:
        assessment = assess_against(rule.portfolio, forecast, quantiles=[rule.quantile])
    except NotAssessableError:
        return None
    return float(assessment.figures["tvar"][quantile_text(rule.quantile)])
