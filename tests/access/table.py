"""What every operation asks of its caller; one that is missing fails a test."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tests.access.principals import Principal
from tests.support.factories import CENTRE, DAY_S

READ, MODELS, EVENTS = "scores:read", "models:write", "events:write"
PORTFOLIOS, PORTFOLIOS_WRITE = "portfolios:read", "portfolios:write"
ALERTS_WRITE = "alerts:write"
VIEW_REGION, VIEW_EVENT = "scoring.view_region", "analytics.view_event"
CHANGE_MODELS = "scoring.change_modelversion"


class About(Enum):
    """What an operation names: nothing owned, a region, or an organisation's own."""

    NOTHING = "nothing"
    REGION = "region"
    OBJECT = "object"


class Touch(Enum):
    """What it does with a region."""

    SEE = "see"
    SEE_OR_CHANGE = "see or change"
    CHANGE = "change"
    # As the organisation, whatever else whoever acts for it may do.
    SEE_AS_MEMBER = "see as member"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """How an operation is asked, who may, and what they are answered.

    `all_of` and `any_of` are scopes, `permissions` those of staff of which one is
    enough; without any of the three an operation is open. Words with a dollar sign
    are filled in from what it is asked about.
    """

    all_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    about: About = About.NOTHING
    touch: Touch = Touch.SEE
    ok: int = 200
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    content_type: str = "application/json"
    keys_only: bool = False

    def admits(self, principal: Principal) -> bool:
        if not (self.all_of or self.any_of or self.permissions):
            return True
        if principal.permissions & set(self.permissions):
            return True
        scopes = principal.scopes
        has_any = not self.any_of or bool(scopes & set(self.any_of))
        return bool(principal.organisation) and has_any and scopes >= set(self.all_of)


REGION = {"region": "$slug"}
MAP = {**REGION, "horizon_sec": str(DAY_S)}
TIME = "2024-01-01T12:00:00Z"
DAYS = {"from": "2024-01-01", "to": "2024-01-03"}
SPAN = {"from": f"{DAYS['from']}T00:00:00Z", "to": f"{DAYS['to']}T00:00:00Z"}
RULE = {
    "name": "made",
    "region": "$slug",
    "horizon_sec": DAY_S,
    "metric": "p_event",
    "threshold": 0.5,
}
ASSET = {"reference": "made", "lat": CENTRE[0], "lon": CENTRE[1], "value": "10.00"}
FILE = f"id,lat,lon,value\nmade,{CENTRE[0]},{CENTRE[1]},1000.5\n"
BOUNDARY = {
    "type": "Polygon",
    "coordinates": [
        [
            [CENTRE[1] + x, CENTRE[0] + y]
            for x, y in ((0, 0), (0, 0.1), (0.1, 0), (0, 0))
        ]
    ],
}
EVENT = {"external_id": "1", "occurred_at": TIME, "lat": CENTRE[0], "lon": CENTRE[1]}
CURVE = {"slug": "made", "name": "Made", "points": [[0, 0], [10, 1]]}
HOOK = {"name": "made", "url": "https://93.184.215.14/"}

SEES: dict[str, Any] = {
    "any_of": (READ,),
    "permissions": (VIEW_REGION,),
    "about": About.REGION,
}
READS_EVENTS: dict[str, Any] = {"any_of": (READ,), "permissions": (VIEW_EVENT,)}
LISTS_MODELS: dict[str, Any] = {
    "any_of": (READ, MODELS),
    "permissions": (VIEW_REGION, CHANGE_MODELS),
}
CHANGES: dict[str, Any] = {
    "all_of": (MODELS,),
    "permissions": (CHANGE_MODELS,),
    "about": About.REGION,
    "touch": Touch.CHANGE,
}
OPEN: dict[str, Any] = {"about": About.REGION}


def own(*scopes: str, **rest: Any) -> Ask:
    return Ask(all_of=scopes, about=About.OBJECT, **rest)


def listed(*scopes: str, **rest: Any) -> Ask:
    return Ask(all_of=scopes, **rest)


TABLE: dict[str, list[Ask]] = {
    "alert_rules_list": [listed(READ)],
    "alert_rules_create": [
        Ask(
            all_of=(ALERTS_WRITE,),
            about=About.REGION,
            touch=Touch.SEE_AS_MEMBER,
            body=RULE,
            ok=201,
        )
    ],
    "alert_rules_read": [own(READ)],
    "alert_rules_update": [own(ALERTS_WRITE, body={"name": "changed"})],
    "alert_rules_delete": [own(ALERTS_WRITE, ok=204)],
    "alert_rules_performance": [own(READ)],
    "alerts_list": [listed(READ)],
    "alerts_acknowledge": [own(ALERTS_WRITE)],
    "alerts_history": [own(READ)],
    "alerts_snooze": [own(ALERTS_WRITE, body={"until": "$soon"})],
    "alerts_of_portfolio": [own(READ)],
    "assess": [
        own(PORTFOLIOS, READ, body={"region": "$public"}),
        Ask(
            all_of=(PORTFOLIOS, READ),
            about=About.REGION,
            touch=Touch.SEE_AS_MEMBER,
            body={"region": "$slug"},
        ),
    ],
    "assess_what_if": [
        Ask(
            all_of=(PORTFOLIOS, READ),
            about=About.REGION,
            touch=Touch.SEE_AS_MEMBER,
            body={"region": "$slug", "assets": [ASSET]},
        )
    ],
    "assess_batch": [
        listed(PORTFOLIOS, READ, body={"portfolio_ids": ["$portfolio_id"]})
    ],
    "assessments_read": [own(PORTFOLIOS, READ)],
    "assessments_list": [own(PORTFOLIOS, READ)],
    "dashboard": [own(PORTFOLIOS, query={"timeframe": "24h", "time": TIME})],
    "deliveries_redeliver": [own(ALERTS_WRITE, ok=202)],
    "events_list": [Ask(**READS_EVENTS, about=About.REGION, query={**REGION, **SPAN})],
    "events_create": [listed(EVENTS, body=[EVENT], ok=202, keys_only=True)],
    "events_backlog": [listed(EVENTS, keys_only=True)],
    "events_batch_outcomes": [own(EVENTS, keys_only=True)],
    "events_export": [
        Ask(**READS_EVENTS, about=About.REGION, query={**REGION, **SPAN})
    ],
    "events_rejections": [listed(EVENTS, keys_only=True)],
    "features_build_window": [
        Ask(
            **SEES,
            body={
                "region": "$slug",
                "cell_ids": ["$cell"],
                "time": TIME,
                "window_sizes_sec": [3_600],
            },
        )
    ],
    "features_snapshot": [Ask(**SEES, query={**REGION, "time": TIME})],
    "forecasts_list": [
        Ask(any_of=(READ,), permissions=(VIEW_REGION,)),
        Ask(**SEES, query=REGION),
    ],
    "forecasts_get": [Ask(**SEES)],
    # It is known once the horizon and some days have passed.
    "forecasts_skill": [Ask(**SEES, ok=200)],
    "jobs_list": [Ask(any_of=(PORTFOLIOS, MODELS))],
    "jobs_get": [Ask(any_of=(PORTFOLIOS, MODELS), about=About.OBJECT)],
    "jobs_cancel": [Ask(any_of=(PORTFOLIOS_WRITE, MODELS), about=About.OBJECT)],
    "jobs_retry": [Ask(any_of=(PORTFOLIOS_WRITE, MODELS), about=About.OBJECT, ok=409)],
    "metrics_report": [
        Ask(any_of=(READ,), permissions=(VIEW_REGION,)),
        Ask(**SEES, query=REGION),
    ],
    "models_list": [
        Ask(**LISTS_MODELS),
        Ask(**LISTS_MODELS, about=About.REGION, query=REGION),
    ],
    "models_fit": [Ask(**CHANGES, body=REGION, ok=202)],
    "models_get": [Ask(**LISTS_MODELS, about=About.REGION, touch=Touch.SEE_OR_CHANGE)],
    "models_challenge": [Ask(**CHANGES, ok=409)],
    "models_promote": [Ask(**CHANGES, ok=409)],
    "models_rollback": [Ask(**CHANGES, ok=409)],
    "portfolios_list": [listed(PORTFOLIOS)],
    "portfolios_create": [
        listed(PORTFOLIOS_WRITE, body={"name": "made", "currency": "USD"}, ok=201)
    ],
    "portfolios_read": [own(PORTFOLIOS)],
    "portfolios_update": [own(PORTFOLIOS_WRITE, body={"name": "changed"})],
    "portfolios_delete": [own(PORTFOLIOS_WRITE, ok=204)],
    "assets_list": [own(PORTFOLIOS)],
    "assets_create": [own(PORTFOLIOS_WRITE, body=ASSET, ok=201)],
    "assets_read": [own(PORTFOLIOS)],
    "assets_update": [own(PORTFOLIOS_WRITE, body={"name": "changed"})],
    "assets_delete": [own(PORTFOLIOS_WRITE, ok=204)],
    "assets_import": [
        own(PORTFOLIOS_WRITE, body=FILE, content_type="text/csv", ok=201)
    ],
    "regions_list": [Ask()],
    "regions_retrieve": [Ask(**OPEN)],
    "regions_boundary_retrieve": [Ask(**OPEN)],
    "regions_boundary_replace": [Ask(**CHANGES, body=BOUNDARY, ok=204)],
    "regions_delete": [Ask(**CHANGES, ok=204)],
    "regions_cells_retrieve": [Ask(**OPEN)],
    "reload_model": [Ask(**CHANGES, body={"version": "$version", "region": "$slug"})],
    "reports_list": [Ask(**READS_EVENTS)],
    "reports_get": [Ask(**READS_EVENTS, about=About.REGION, query={**REGION, **DAYS})],
    "risk_map": [Ask(**OPEN, query=MAP)],
    "risk_map_tile": [Ask(**OPEN, query=MAP, ok=204)],
    "score_snapshot": [
        Ask(
            **OPEN,
            body={
                "region": "$slug",
                "time": TIME,
                "horizon_sec": DAY_S,
                "cells": [{"cell_id": "$cell"}],
                "n_scenarios": 2,
            },
        )
    ],
    "vulnerabilities_list": [listed(PORTFOLIOS)],
    "vulnerabilities_create": [listed(PORTFOLIOS_WRITE, body=CURVE, ok=201)],
    "vulnerabilities_read": [own(PORTFOLIOS)],
    "vulnerabilities_delete": [own(PORTFOLIOS_WRITE, ok=204)],
    "webhooks_list": [listed(ALERTS_WRITE)],
    "webhooks_create": [listed(ALERTS_WRITE, body=HOOK, ok=201)],
    "webhooks_read": [own(ALERTS_WRITE)],
    "webhooks_update": [own(ALERTS_WRITE, body={"name": "changed"})],
    "webhooks_delete": [own(ALERTS_WRITE, ok=204)],
    "webhooks_deliveries": [own(ALERTS_WRITE)],
    "webhooks_rotate": [own(ALERTS_WRITE)],
    "webhooks_test": [own(ALERTS_WRITE, ok=202)],
    "ws_ticket": [
        Ask(
            any_of=("scores:read", "portfolios:read", "models:write"),
            permissions=(VIEW_REGION,),
            ok=201,
        )
    ],
}
