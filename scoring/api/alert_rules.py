"""Alert rules: list, make, read, change, delete, and how they did."""

from typing import Annotated, Any, Final, Self, cast
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request

from analytics.grid import CellDigits
from riskplatform.api.creating import Once
from riskplatform.api.endpoints import Router
from riskplatform.api.inputs import given_in
from riskplatform.api.keys.models import Organisation, Scope
from riskplatform.api.keys.permissions import has_scope
from riskplatform.api.keys.principal import get_principal
from riskplatform.api.paging import Page, PageQuery, page_of
from riskplatform.kernel.instants import AwareTime
from scoring.api.access import find_region_of_organisation, parse_cell_ids
from scoring.api.schemas import MAX_CELLS, CellId, HorizonSec, Name, Slug
from scoring.models import AlertRule
from scoring.selectors.alerts import (
    AlertRulePerformance,
    ComparisonName,
    MetricName,
    SeverityName,
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

router = Router()
READERS = has_scope(Scope.SCORES_READ)
WRITERS = has_scope(Scope.ALERTS_WRITE)
# A rule may name 20,000 cells.
RULES_AT_ONCE: Final = 50
RULE: Final = "alert-rules/<uuid:rule_id>"

Threshold = Annotated[float, Meta(ge=0, le=1e18)]
Quantile = Annotated[float, Meta(gt=0, lt=1, description="Of the TVaR, such as 0.99.")]
WatchedCells = Annotated[
    list[CellId],
    Meta(
        min_length=1,
        max_length=MAX_CELLS,
        description="Cells to watch; the whole region if left out.",
    ),
]
DailyBudget = Annotated[
    int, Meta(ge=1, le=1_000, description="New alerts in 24 hours at most.")
]


class NewAlertRule(Struct, forbid_unknown_fields=True):
    name: Name
    region: Slug
    horizon_sec: HorizonSec
    metric: MetricName
    threshold: Threshold
    comparison: ComparisonName = "level"
    portfolio_id: UUID | None = None
    cells: WatchedCells | None = None
    quantile: Quantile | None = None
    severity: SeverityName = "warning"
    daily_budget: DailyBudget = 20
    is_enabled: bool = True


class AlertRuleChange(Struct, forbid_unknown_fields=True):
    """What may be changed; a rule of another region is another rule."""

    name: Name | UnsetType = UNSET
    horizon_sec: HorizonSec | UnsetType = UNSET
    metric: MetricName | UnsetType = UNSET
    threshold: Threshold | UnsetType = UNSET
    comparison: ComparisonName | UnsetType = UNSET
    portfolio_id: UUID | UnsetType | None = UNSET
    cells: WatchedCells | UnsetType | None = UNSET
    quantile: Quantile | UnsetType | None = UNSET
    severity: SeverityName | UnsetType = UNSET
    daily_budget: DailyBudget | UnsetType = UNSET
    is_enabled: bool | UnsetType = UNSET


class AlertRuleQuery(PageQuery, forbid_unknown_fields=True):
    region: Slug | None = None
    portfolio_id: (
        Annotated[UUID, Meta(description="Rules that watch this portfolio.")] | None
    ) = None
    is_enabled: (
        Annotated[bool, Meta(description="Rules that are switched on, or off.")] | None
    ) = None


class AlertRuleDetail(Struct):
    id: UUID
    name: str
    region: str
    portfolio_id: UUID | None
    cells: list[CellDigits] | None
    horizon_sec: int
    metric: MetricName
    comparison: ComparisonName
    threshold: float
    quantile: float | None
    severity: SeverityName
    daily_budget: int
    is_enabled: bool
    last_forecast_id: UUID | None
    held_back_count: int
    created_at: AwareTime
    updated_at: AwareTime

    @classmethod
    def of(cls, rule: AlertRule) -> Self:
        return cls(
            id=rule.pk,
            name=rule.name,
            region=rule.region.slug,
            portfolio_id=rule.portfolio_id,
            cells=None if rule.cells is None else list(map(str, rule.cells)),
            horizon_sec=rule.horizon_sec,
            metric=cast("MetricName", rule.metric),
            comparison=cast("ComparisonName", rule.comparison),
            threshold=rule.threshold,
            quantile=rule.quantile,
            severity=cast("SeverityName", rule.severity),
            daily_budget=rule.daily_budget,
            is_enabled=rule.is_enabled,
            last_forecast_id=rule.last_forecast_id,
            held_back_count=rule.held_back_count,
            created_at=rule.created_at,
            updated_at=rule.updated_at,
        )


@router.get("alert-rules", READERS)
def alert_rules_list(request: Request, query: AlertRuleQuery) -> Page[AlertRuleDetail]:
    """List the rules of the organisation."""
    wanted = {
        "region__slug": query.region,
        "portfolio": query.portfolio_id,
        "is_enabled": query.is_enabled,
    }
    given = {key: value for key, value in wanted.items() if value is not None}
    rules = list_alert_rules(get_principal(request).organisation).filter(**given)
    return page_of(rules, query, AlertRuleDetail.of, rows_at_once=RULES_AT_ONCE)


@router.post("alert-rules", WRITERS, status=201)
def alert_rules_create(request: Request, body: NewAlertRule) -> Once[AlertRuleDetail]:
    """Make a rule; within seconds it is evaluated on the newest forecast."""
    organisation = get_principal(request).organisation
    parts = _parts(given_in(body), organisation)
    parts["region"] = find_region_of_organisation(request, body.region)
    definition = RuleDefinition(**parts)
    return Once(lambda: AlertRuleDetail.of(create_alert_rule(organisation, definition)))


@router.get(RULE, READERS)
def alert_rules_read(request: Request, rule_id: UUID) -> AlertRuleDetail:
    """Give one rule."""
    organisation = get_principal(request).organisation
    return AlertRuleDetail.of(get_alert_rule(rule_id, organisation=organisation))


@router.patch(RULE, WRITERS)
def alert_rules_update(
    request: Request, rule_id: UUID, body: AlertRuleChange
) -> AlertRuleDetail:
    """Change what is given. A rule that is switched off resolves its alerts."""
    principal = get_principal(request)
    rule = change_alert_rule(
        rule_id,
        organisation=principal.organisation,
        actor=principal.name,
        changes=_parts(given_in(body), principal.organisation),
    )
    return AlertRuleDetail.of(rule)


@router.delete(RULE, WRITERS)
def alert_rules_delete(request: Request, rule_id: UUID) -> None:
    """Delete the rule with its alerts and their messages."""
    delete_alert_rule(rule_id, organisation=get_principal(request).organisation)


@router.get(f"{RULE}/performance", READERS)
def alert_rules_performance(request: Request, rule_id: UUID) -> AlertRulePerformance:
    """Count how many alerts were right, and how long before the event."""
    organisation = get_principal(request).organisation
    return get_rule_performance(get_alert_rule(rule_id, organisation=organisation))


def _parts(parts: dict[str, Any], organisation: Organisation) -> dict[str, Any]:
    """Turn what was given into fields of `RuleDefinition`."""
    if "portfolio_id" in parts:
        portfolio_id = parts.pop("portfolio_id")
        parts["portfolio"] = portfolio_id and get_portfolio(organisation, portfolio_id)
    if parts.get("cells") is not None:
        parts["cells"] = parse_cell_ids(parts["cells"], "cells")
    return parts
