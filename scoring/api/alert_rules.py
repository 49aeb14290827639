"""Alert rules: list, make, read, change, delete, and how they did."""

from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db.models import QuerySet
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
    refuse_repeats,
)
from riskplatform.api.keys.models import Organisation
from riskplatform.api.keys.principal import get_principal
from riskplatform.api.paging import page_of
from scoring.api.access import find_region_of_organisation
from scoring.api.alert_access import AlertView
from scoring.api.alert_schemas import (
    AlertRuleChange,
    AlertRuleDetail,
    AlertRuleList,
    AlertRulePerformance,
    AlertRuleQuery,
    NewAlertRule,
)
from scoring.cell_ids import parse_cell_id
from scoring.models import AlertRule, Portfolio
from scoring.selectors.alerts import (
    get_alert_rule,
    get_rule_performance,
    list_alert_rules,
)
from scoring.selectors.portfolios import get_portfolio
from scoring.services.alerts.rules import (
    RuleDefinition,
    change_alert_rule,
    create_alert_rule,
    delete_alert_rule,
)

# A rule may name 20,000 cells.
RULES_AT_ONCE: Final = 50


class AlertRuleListView(AlertView):
    @extend_schema(
        operation_id="alert_rules_list",
        parameters=query_parameters(AlertRuleQuery),
        responses={(200, "application/json"): body_schema(AlertRuleList)},
    )
    def get(self, request: Request) -> Response:
        query = decode_query(request, AlertRuleQuery)
        rules = _filtered(list_alert_rules(get_principal(request).organisation), query)
        page = page_of(rules, query, _rule, rows_at_once=RULES_AT_ONCE)
        return Response(page)

    @extend_schema(
        operation_id="alert_rules_create",
        parameters=[IDEMPOTENCY_KEY],
        request={"application/json": body_schema(NewAlertRule)},
        responses={(201, "application/json"): body_schema(AlertRuleDetail)},
    )
    def post(self, request: Request) -> HttpResponse:
        """Make a rule; within seconds it is asked about the newest forecast."""
        asked = decode_body(request, NewAlertRule)
        organisation = get_principal(request).organisation
        parts = _parts(msgspec.structs.asdict(asked), organisation)
        region = find_region_of_organisation(request, asked.region)
        definition = RuleDefinition(**{**parts, "region": region})
        return answer_creation(
            request, lambda: _rule(create_alert_rule(organisation, definition))
        )


class AlertRuleDetailView(AlertView):
    @extend_schema(
        operation_id="alert_rules_read",
        responses={(200, "application/json"): body_schema(AlertRuleDetail)},
    )
    def get(self, request: Request, rule_id: UUID) -> Response:
        organisation = get_principal(request).organisation
        return Response(_rule(get_alert_rule(rule_id, organisation=organisation)))

    @extend_schema(
        operation_id="alert_rules_update",
        request={"application/json": body_schema(AlertRuleChange)},
        responses={(200, "application/json"): body_schema(AlertRuleDetail)},
    )
    def patch(self, request: Request, rule_id: UUID) -> Response:
        """Change what is given. A rule that is switched off resolves its alerts."""
        asked = decode_body(request, AlertRuleChange)
        principal = get_principal(request)
        given = {
            name: value
            for name, value in msgspec.structs.asdict(asked).items()
            if value is not msgspec.UNSET
        }
        rule = change_alert_rule(
            rule_id,
            organisation=principal.organisation,
            actor=principal.name,
            changes=_parts(given, principal.organisation),
        )
        return Response(_rule(rule))

    @extend_schema(operation_id="alert_rules_delete", responses={204: None})
    def delete(self, request: Request, rule_id: UUID) -> Response:
        """Delete the rule with its alerts and their messages."""
        organisation = get_principal(request).organisation
        delete_alert_rule(rule_id, organisation=organisation)
        return Response(status=204)


class AlertRulePerformanceView(AlertView):
    @extend_schema(
        operation_id="alert_rules_performance",
        responses={(200, "application/json"): body_schema(AlertRulePerformance)},
    )
    def get(self, request: Request, rule_id: UUID) -> Response:
        """Tell how many alerts were right, and how long before the event."""
        organisation = get_principal(request).organisation
        rule = get_alert_rule(rule_id, organisation=organisation)
        figures = asdict(get_rule_performance(rule))
        return Response({"rule_id": str(rule.pk), **figures})


def _filtered(rules: QuerySet[AlertRule], query: AlertRuleQuery) -> QuerySet[AlertRule]:
    wanted = {
        "region__slug": query.region,
        "portfolio": query.portfolio_id,
        "is_enabled": query.is_enabled,
    }
    return rules.filter(**{key: v for key, v in wanted.items() if v is not None})


def _parts(given: dict[str, Any], organisation: Organisation) -> dict[str, Any]:
    """Turn what was given into fields of `RuleDefinition`."""
    parts = dict(given)
    if "portfolio_id" in parts:
        parts["portfolio"] = _portfolio(parts.pop("portfolio_id"), organisation)
    if parts.get("cells") is not None:
        parts["cells"] = tuple(
            parse_cell_id(cell, pointer=f"/cells/{index}")
            for index, cell in enumerate(parts["cells"])
        )
        refuse_repeats(parts["cells"], "/cells")
    for name, kind in (
        ("metric", AlertRule.Metric),
        ("comparison", AlertRule.Comparison),
    ):
        if name in parts:
            parts[name] = kind(parts[name])
    return parts


def _portfolio(
    portfolio_id: UUID | None, organisation: Organisation
) -> Portfolio | None:
    return None if portfolio_id is None else get_portfolio(organisation, portfolio_id)


def _rule(rule: AlertRule) -> dict[str, Any]:
    return {
        "id": str(rule.pk),
        "name": rule.name,
        "region": rule.region.slug,
        "portfolio_id": None if rule.portfolio_id is None else str(rule.portfolio_id),
        "cells": rule.cells,
        "horizon_sec": rule.horizon_sec,
        "metric": rule.metric,
        "comparison": rule.comparison,
        "threshold": rule.threshold,
        "quantile": rule.quantile,
        "severity": rule.severity,
        "daily_budget": rule.daily_budget,
        "is_enabled": rule.is_enabled,
        "last_forecast_id": None
        if rule.last_forecast_id is None
        else str(rule.last_forecast_id),
        "held_back_count": rule.held_back_count,
        "created_at": rule.created_at,
        "updated_at": rule.updated_at,
    }
