"""An alert and a webhook's delivery as the API and webhooks tell of them."""

from typing import Any
from uuid import UUID

from scoring.cell_ids import hex_of
from scoring.models import Alert, AlertChange

MAX_CELLS_TOLD = 100


def alert_document(alert: Alert) -> dict[str, Any]:
    """Describe an alert; needs `rule__region` at hand.

    Of a large area only the hottest cells are named, and how many there are.
    """
    rule, told = alert.rule, alert.cells[:MAX_CELLS_TOLD]
    return {
        "id": str(alert.pk),
        "rule_id": str(rule.pk),
        "rule_name": rule.name,
        "region": rule.region.slug,
        "portfolio_id": _text(rule.portfolio_id),
        "horizon_sec": rule.horizon_sec,
        "metric": rule.metric,
        "comparison": rule.comparison,
        "threshold": rule.threshold,
        "quantile": rule.quantile,
        "severity": alert.severity,
        "state": alert.state,
        "value": alert.value,
        "coordinates": [round(alert.lon, 6), round(alert.lat, 6)],
        "cell_count": len(alert.cells),
        "cells": told,
        "cells_hex": [hex_of(cell) for cell in told],
        "first_forecast_id": _text(alert.first_forecast_id),
        "last_forecast_id": _text(alert.last_forecast_id),
        "valid_until": alert.valid_until,
        "opened_at": alert.opened_at,
        "last_seen_at": alert.last_seen_at,
        "acknowledged_at": alert.acknowledged_at,
        "acknowledged_by": alert.acknowledged_by,
        "snoozed_until": alert.snoozed_until,
        "resolved_at": alert.resolved_at,
        "merged_into": _text(alert.merged_into_id),
        "was_right": alert.was_right,
        "lead_time_s": alert.lead_time_s,
    }


def change_document(change: AlertChange) -> dict[str, Any]:
    return {
        "sequence": change.pk,
        "kind": change.kind,
        "actor": change.actor,
        "changed_at": change.changed_at,
        "snoozed_until": change.snoozed_until,
    }


def _text(key: UUID | None) -> str | None:
    return None if key is None else str(key)
