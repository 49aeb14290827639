"""Alerts: list, history, acknowledge, snooze."""

from typing import Final
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from riskplatform.api.creating import IDEMPOTENCY_KEY, answer_creation
from riskplatform.api.inputs import (
    body_schema,
    decode_body,
    decode_query,
    query_parameters,
)
from riskplatform.api.keys.principal import get_principal
from riskplatform.api.paging import page_of
from scoring.api.alert_access import AlertView
from scoring.api.alert_schemas import (
    AlertDetail,
    AlertHistory,
    AlertList,
    AlertQuery,
    PortfolioAlertQuery,
    Snooze,
)
from scoring.selectors.alert_documents import alert_document, change_document
from scoring.selectors.alerts import list_alerts, list_changes
from scoring.selectors.portfolios import get_portfolio
from scoring.services.alerts.states import acknowledge_alert, snooze_alert

# An alert of a large area has as many cells, of which an answer tells some.
ALERTS_AT_ONCE: Final = 50


class AlertListView(AlertView):
    @extend_schema(
        operation_id="alerts_list",
        parameters=query_parameters(AlertQuery),
        responses={(200, "application/json"): body_schema(AlertList)},
    )
    def get(self, request: Request) -> Response:
        """List the alerts of the organisation, the newest first."""
        query = decode_query(request, AlertQuery)
        alerts = list_alerts(
            get_principal(request).organisation,
            severity=query.severity,
            state=query.state,
            rule_id=query.rule_id,
        )
        return Response(
            page_of(
                alerts,
                query,
                render=alert_document,
                newest_first=True,
                rows_at_once=ALERTS_AT_ONCE,
            )
        )


class PortfolioAlertsView(AlertView):
    @extend_schema(
        operation_id="alerts_of_portfolio",
        parameters=query_parameters(PortfolioAlertQuery),
        responses={(200, "application/json"): body_schema(AlertList)},
    )
    def get(self, request: Request, portfolio_id: UUID) -> Response:
        """List the alerts of the rules that watch a portfolio, the newest first."""
        query = decode_query(request, PortfolioAlertQuery)
        organisation = get_principal(request).organisation
        alerts = list_alerts(
            organisation,
            severity=query.severity,
            state=query.state,
            portfolio_id=get_portfolio(organisation, portfolio_id).pk,
        )
        return Response(
            page_of(
                alerts,
                query,
                render=alert_document,
                newest_first=True,
                rows_at_once=ALERTS_AT_ONCE,
            )
        )


class AlertHistoryView(AlertView):
    @extend_schema(
        operation_id="alerts_history",
        responses={(200, "application/json"): body_schema(AlertHistory)},
    )
    def get(self, request: Request, alert_id: UUID) -> Response:
        """Tell the steps of an alert: what, when and by whom."""
        organisation = get_principal(request).organisation
        changes = list_changes(alert_id, organisation=organisation)
        return Response({"results": [change_document(change) for change in changes]})


class AlertAcknowledgeView(AlertView):
    @extend_schema(
        operation_id="alerts_acknowledge",
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={(200, "application/json"): body_schema(AlertDetail)},
    )
    def post(self, request: Request, alert_id: UUID) -> HttpResponse:
        """Note that somebody has seen the alert; repeating it changes nothing."""
        principal = get_principal(request)
        return answer_creation(
            request,
            lambda: alert_document(
                acknowledge_alert(
                    alert_id,
                    organisation=principal.organisation,
                    actor=principal.name,
                )
            ),
            status=200,
        )


class AlertSnoozeView(AlertView):
    @extend_schema(
        operation_id="alerts_snooze",
        parameters=[IDEMPOTENCY_KEY],
        request={"application/json": body_schema(Snooze)},
        responses={(200, "application/json"): body_schema(AlertDetail)},
    )
    def post(self, request: Request, alert_id: UUID) -> HttpResponse:
        """Keep the alert quiet for up to 30 days; then it is open again."""
        until = decode_body(request, Snooze).until
        principal = get_principal(request)
        return answer_creation(
            request,
            lambda: alert_document(
                snooze_alert(
                    alert_id,
                    organisation=principal.organisation,
                    actor=principal.name,
                    until=until,
                )
            ),
            status=200,
        )
