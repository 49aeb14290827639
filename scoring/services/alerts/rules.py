"""Writes of alert rules. Each function is one use case and one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from riskplatform.api.keys.models import Organisation
from riskplatform.kernel.changes import publish_changes
from riskplatform.kernel.errors import InvalidInputError
from scoring import change_names
from scoring.cell_ids import hex_of
from scoring.errors import AlertRuleNotFoundError, NameTakenError, QuotaError
from scoring.models import (
    Alert,
    AlertChange,
    AlertRule,
    Cell,
    Forecast,
    Portfolio,
    Region,
)
from scoring.services.alerts.states import record_changes

MAX_RULES: Final = 500
# Smallest and largest threshold of each metric, both allowed.
LEVELS: Final = {
    AlertRule.Metric.P_EVENT: (1e-9, 1.0),
    AlertRule.Metric.EXPECTED_COUNT: (1e-9, 1e6),
    AlertRule.Metric.TVAR: (0.01, 1e18),
}
CHANGES: Final = (1.0, 1e6)
# A change of anything else does not evaluate the rule again.
QUIET_FIELDS: Final = frozenset({"name", "severity", "daily_budget"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDefinition:
    name: str
    region: Region
    horizon_sec: int
    metric: AlertRule.Metric
    threshold: float
    comparison: AlertRule.Comparison
    severity: str
    daily_budget: int
    is_enabled: bool
    portfolio: Portfolio | None = None
    cells: tuple[int, ...] | None = None
    quantile: float | None = None


@transaction.atomic
def create_alert_rule(
    organisation: Organisation, definition: RuleDefinition
) -> AlertRule:
    """Create a rule; the next sweep evaluates it on the newest forecast.

    Raises
    ------
    InvalidInputError
        The parts do not fit each other; `errors` names the first that does not.
    NameTakenError, QuotaError
    """
    if AlertRule.objects.for_organisation(organisation).count() >= MAX_RULES:
        raise QuotaError(f"An organisation has up to {MAX_RULES} alert rules.")
    _check(definition)
    _check_horizon(definition)
    rule = AlertRule(organisation=organisation, **_columns(definition))
    _save(rule)
    return rule


@transaction.atomic
def change_alert_rule(
    rule_id: UUID, *, organisation: Organisation, actor: str, changes: dict[str, Any]
) -> AlertRule:
    """Change some parts of a rule; `changes` are fields of `RuleDefinition`.

    A rule that is switched off resolves its alerts; one with another condition
    is evaluated again on the newest forecast.

    Raises
    ------
    AlertRuleNotFoundError, InvalidInputError, NameTakenError
    """
    rule = _locked(rule_id, organisation)
    before = _definition(rule)
    after = replace(before, **changes)
    _check(after)
    if after.horizon_sec != before.horizon_sec:
        _check_horizon(after)
    for name, value in _columns(after).items():
        setattr(rule, name, value)
    if any(
        getattr(before, name) != changes[name] for name in changes.keys() - QUIET_FIELDS
    ):
        rule.last_forecast = None
    _save(rule)
    if before.is_enabled and not after.is_enabled:
        _resolve_all(rule, actor)
    return rule


@transaction.atomic
def delete_alert_rule(rule_id: UUID, *, organisation: Organisation) -> None:
    """Delete a rule with its alerts and what was sent about them."""
    _locked(rule_id, organisation).delete()
    publish_changes(change_names.alerts_of(organisation.pk))


def _definition(rule: AlertRule) -> RuleDefinition:
    return RuleDefinition(
        name=rule.name,
        region=rule.region,
        horizon_sec=rule.horizon_sec,
        metric=AlertRule.Metric(rule.metric),
        threshold=rule.threshold,
        comparison=AlertRule.Comparison(rule.comparison),
        severity=rule.severity,
        daily_budget=rule.daily_budget,
        is_enabled=rule.is_enabled,
        portfolio=rule.portfolio,
        cells=None if rule.cells is None else tuple(rule.cells),
        quantile=rule.quantile,
    )


def _columns(definition: RuleDefinition) -> dict[str, Any]:
    names = definition.__slots__
    columns = {name: getattr(definition, name) for name in names}
    cells = definition.cells
    return columns | {"cells": None if cells is None else list(cells)}


def _check(definition: RuleDefinition) -> None:
    _check_threshold(definition)
    _check_tail(definition)
    if definition.cells is not None:
        _check_cells(definition.region, definition.cells)


def _check_threshold(definition: RuleDefinition) -> None:
    is_change = definition.comparison == AlertRule.Comparison.CHANGE
    low, high = CHANGES if is_change else LEVELS[definition.metric]
    if not low <= definition.threshold <= high:
        what = "a change" if is_change else definition.metric.value
        raise InvalidInputError(
            f"The threshold of {what} is from {low:g} to {high:g}.", field="threshold"
        )


def _check_tail(definition: RuleDefinition) -> None:
    if definition.metric != AlertRule.Metric.TVAR:
        if definition.quantile is not None:
            raise InvalidInputError(
                "Only a rule on tvar has a quantile.", field="quantile"
            )
        return
    if definition.portfolio is None:
        raise InvalidInputError(
            "A rule on tvar needs a portfolio.", field="portfolio_id"
        )
    if definition.quantile is None:
        raise InvalidInputError("A rule on tvar needs a quantile.", field="quantile")
    if definition.cells is not None:
        raise InvalidInputError(
            "A rule on tvar watches the whole portfolio.", field="cells"
        )


def _check_horizon(definition: RuleDefinition) -> None:
    """Refuse a horizon that is not forecast; a region without forecasts may wait."""
    region = definition.region
    horizons = (
        Forecast.objects.of_region(region)
        .served()
        .order_by("horizon_sec")
        .values_list("horizon_sec", flat=True)
        .distinct()
    )
    known = list(horizons)
    if known and definition.horizon_sec not in known:
        named = ", ".join(str(horizon) for horizon in known)
        raise InvalidInputError(
            f"Region {region.slug!r} is forecast for: {named} s.", field="horizon_sec"
        )


def _check_cells(region: Region, cells: Sequence[int]) -> None:
    known = set(Cell.objects.filter(region=region).values_list("h3", flat=True))
    seen: set[int] = set()
    for index, cell in enumerate(cells):
        if cell not in known:
            raise InvalidInputError(
                f"{hex_of(cell)} is no cell of {region.slug!r}.", field=("cells", index)
            )
        if cell in seen:
            raise InvalidInputError(
                f"{hex_of(cell)} is given twice.", field=("cells", index)
            )
        seen.add(cell)


def _save(rule: AlertRule) -> None:
    publish_changes(change_names.alerts_of(rule.organisation_id))
    try:
        with transaction.atomic():
            rule.save()
    except IntegrityError:
        raise NameTakenError(
            f"An alert rule is called {rule.name!r} already. Use another name.",
            name=rule.name,
        ) from None


def _resolve_all(rule: AlertRule, actor: str) -> None:
    now = timezone.now()
    alerts = list(rule.alerts.unresolved())
    rule.alerts.unresolved().update(state=Alert.State.RESOLVED, resolved_at=now)
    for alert in alerts:
        alert.state, alert.resolved_at = Alert.State.RESOLVED, now
    record_changes(alerts, kind=AlertChange.Kind.RESOLVED, now=now, actor=actor)


def _locked(rule_id: UUID, organisation: Organisation) -> AlertRule:
    mine = AlertRule.objects.for_organisation(organisation)
    rule = mine.select_for_update().filter(pk=rule_id).first()
    if rule is None:
        raise AlertRuleNotFoundError(f"There is no alert rule {rule_id}.")
    return rule
