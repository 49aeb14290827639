"""Writes of alert rules. Each function is one use case and one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from riskplatform.api.keys.models import Organisation
from riskplatform.kernel.changes import publish_changes
from riskplatform.kernel.errors import InvalidInputError
from scoring import change_names
from scoring.cell_ids import hex_of
from scoring.errors import AlertRuleNotFoundError, NameTakenError, QuotaError, require
from scoring.models import (
    Alert,
    AlertChange,
    AlertRule,
    Cell,
    Portfolio,
    Region,
)
from scoring.selectors.forecasts import horizons_of
from scoring.services.alerts.states import record_changes
from scoring.services.unique import unique_or

MAX_RULES: Final = 500
# Smallest and largest threshold of each metric, both allowed.
LEVELS: Final[dict[str, tuple[float, float]]] = {
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
    metric: str
    threshold: float
    comparison: str
    severity: str
    daily_budget: int
    is_enabled: bool
    portfolio: Portfolio | None = None
    cells: list[int] | None = None
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
    rule = AlertRule(
        organisation=organisation,
        **{name: getattr(definition, name) for name in definition.__slots__},
    )
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
    before = RuleDefinition(
        **{name: getattr(rule, name) for name in RuleDefinition.__slots__}
    )
    after = replace(before, **changes)
    _check(after, known_horizon_sec=before.horizon_sec)
    for name, value in changes.items():
        setattr(rule, name, value)
    if any(
        getattr(before, name) != changes[name] for name in changes.keys() - QUIET_FIELDS
    ):
        rule.last_forecast = None
    _save(rule)
    if before.is_enabled and not after.is_enabled:
        alerts, now = list(rule.alerts.unresolved()), timezone.now()
        for alert in alerts:
            alert.state, alert.resolved_at = Alert.State.RESOLVED, now
        Alert.objects.bulk_update(alerts, ("state", "resolved_at"), batch_size=500)
        record_changes(alerts, kind=AlertChange.Kind.RESOLVED, now=now, actor=actor)
    return rule


@transaction.atomic
def delete_alert_rule(rule_id: UUID, *, organisation: Organisation) -> None:
    """Delete a rule with its alerts and what was sent about them."""
    _locked(rule_id, organisation).delete()
    publish_changes(change_names.alerts_of(organisation.pk))


def _check(definition: RuleDefinition, *, known_horizon_sec: int | None = None) -> None:
    is_change = definition.comparison == AlertRule.Comparison.CHANGE
    low, high = CHANGES if is_change else LEVELS[definition.metric]
    if not low <= definition.threshold <= high:
        what = "a change" if is_change else definition.metric
        raise InvalidInputError(
            f"The threshold of {what} is from {low:g} to {high:g}.", field="threshold"
        )
    _check_tail(definition)
    if definition.cells is not None:
        _check_cells(definition.region, definition.cells)
    if definition.horizon_sec != known_horizon_sec:
        _check_horizon(definition.region, definition.horizon_sec)


def _check_tail(definition: RuleDefinition) -> None:
    if definition.metric != AlertRule.Metric.TVAR:
        if definition.quantile is not None:
            raise InvalidInputError(
                "Only a rule on tvar has a quantile.", field="quantile"
            )
    elif definition.portfolio is None:
        raise InvalidInputError(
            "A rule on tvar needs a portfolio.", field="portfolio_id"
        )
    elif definition.quantile is None:
        raise InvalidInputError("A rule on tvar needs a quantile.", field="quantile")
    elif definition.cells is not None:
        raise InvalidInputError(
            "A rule on tvar watches the whole portfolio.", field="cells"
        )


def _check_horizon(region: Region, horizon_sec: int) -> None:
    """Refuse a horizon that is not forecast; a region without forecasts may wait."""
    known = horizons_of(region)
    if known and horizon_sec not in known:
        raise InvalidInputError(
            f"Region {region.slug!r} is forecast for: {', '.join(map(str, known))} s.",
            field="horizon_sec",
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
    reason = f"An alert rule is called {rule.name!r} already. Use another name."
    with unique_or(NameTakenError(reason, name=rule.name)):
        rule.save()


def _locked(rule_id: UUID, organisation: Organisation) -> AlertRule:
    mine = AlertRule.objects.for_organisation(organisation)
    return require(
        mine.select_for_update().filter(pk=rule_id).first(),
        AlertRuleNotFoundError(f"There is no alert rule {rule_id}."),
    )
