"""Alerts: list, history, acknowledge, snooze."""

from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta, Struct
from rest_framework.request import Request

from riskplatform.api.creating import Once
from riskplatform.api.endpoints import Router
from riskplatform.api.keys.principal import get_principal
from riskplatform.api.paging import Page, PageQuery, page_of
from riskplatform.kernel.instants import AwareTime
from scoring.api.alert_rules import READERS, WRITERS
from scoring.selectors.alerts import (
    AlertDetail,
    AlertStep,
    SeverityName,
    StateName,
    list_alerts,
    list_changes,
)
from scoring.selectors.portfolios import get_portfolio
from scoring.services.alerts.states import acknowledge_alert, snooze_alert

router = Router()
# An alert of a large area has many cells, of which a response lists some.
ALERTS_AT_ONCE: Final = 50


class PortfolioAlertQuery(PageQuery, forbid_unknown_fields=True):
    severity: (
        Annotated[SeverityName, Meta(description="How much it matters.")] | None
    ) = None
    state: Annotated[StateName, Meta(description="What was done about it.")] | None = (
        None
    )


class AlertQuery(PortfolioAlertQuery, forbid_unknown_fields=True):
    rule_id: Annotated[UUID, Meta(description="Alerts of this rule.")] | None = None
    portfolio: (
        Annotated[UUID, Meta(description="Alerts of the rules that watch it.")] | None
    ) = None


class AlertHistory(Struct):
    results: list[AlertStep]


class Snooze(Struct, forbid_unknown_fields=True):
    until: AwareTime


@router.get("alerts", READERS)
def alerts_list(request: Request, query: AlertQuery) -> Page[AlertDetail]:
    """List the alerts of the organisation, the newest first."""
    organisation = get_principal(request).organisation
    if query.portfolio is not None:
        # One that is not there is an error, and not an empty list.
        get_portfolio(organisation, query.portfolio)
    alerts = list_alerts(
        organisation,
        severity=query.severity,
        state=query.state,
        rule_id=query.rule_id,
        portfolio_id=query.portfolio,
    )
    return page_of(
        alerts, query, AlertDetail.of, newest_first=True, rows_at_once=ALERTS_AT_ONCE
    )


@router.get("alerts/<uuid:portfolio_id>", READERS, deprecated=True)
def alerts_of_portfolio(
    request: Request, portfolio_id: UUID, query: PortfolioAlertQuery
) -> Page[AlertDetail]:
    """List the alerts of a portfolio: `GET /alerts?portfolio=…` does the same."""
    wanted = AlertQuery(
        **msgspec.structs.asdict(query),
        portfolio=portfolio_id,
    )
    return alerts_list(request, wanted)


@router.get("alerts/<uuid:alert_id>/history", READERS)
def alerts_history(request: Request, alert_id: UUID) -> AlertHistory:
    """List the steps of an alert: what, when and by whom."""
    organisation = get_principal(request).organisation
    changes = list_changes(alert_id, organisation=organisation)
    return AlertHistory([AlertStep.of(change) for change in changes])


@router.post("alerts/<uuid:alert_id>/acknowledge", WRITERS)
def alerts_acknowledge(request: Request, alert_id: UUID) -> Once[AlertDetail]:
    """Note that somebody has seen the alert; repeating it changes nothing."""
    who = get_principal(request)

    def acknowledge() -> AlertDetail:
        alert = acknowledge_alert(
            alert_id, organisation=who.organisation, actor=who.name
        )
        return AlertDetail.of(alert)

    return Once(acknowledge)


@router.post("alerts/<uuid:alert_id>/snooze", WRITERS)
def alerts_snooze(request: Request, alert_id: UUID, body: Snooze) -> Once[AlertDetail]:
    """Keep the alert quiet for up to 30 days; then it is open again."""
    who = get_principal(request)

    def snooze() -> AlertDetail:
        alert = snooze_alert(
            alert_id,
            organisation=who.organisation,
            actor=who.name,
            until=body.until,
        )
        return AlertDetail.of(alert)

    return Once(snooze)
