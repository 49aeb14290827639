"""Dashboards as Grafana reads them, built with its own types.

The package that has them is for those who change dashboards; nothing else needs it.
"""

from typing import Final

from grafana_foundation_sdk.builders import common, dashboard, prometheus, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from perf.monitoring.described import Dashboard, Panel

SOURCE: Final = DataSourceRef(type_val="prometheus", uid="prometheus")
LEGEND: Final = (
    common.VizLegendOptions()
    .show_legend(show_legend=True)
    .display_mode(LegendDisplayMode.LIST)
    .placement(LegendPlacement.BOTTOM)
)
# Of Grafana's grid of 24 columns: two plots side by side.
WIDTH: Final = 12
HEIGHT: Final = 8


def dashboard_json(described: Dashboard) -> str:
    built = (
        dashboard.Dashboard(described.title)
        .uid(f"riskplatform-{described.name}")
        .tags(["riskplatform", "generated"])
        .editable()
        .refresh("30s")
        .time("now-3h", "now")
        .timezone("browser")
    )
    for panel in described.panels:
        built = built.with_panel(_panel(panel))
    return JSONEncoder(sort_keys=True, indent=2).encode(built.build()) + "\n"


def _panel(panel: Panel) -> timeseries.Panel:
    built = (
        timeseries.Panel()
        .title(panel.title)
        .description(panel.description)
        .unit(panel.unit)
        .axis_soft_min(0)
        .legend(LEGEND)
        .span(WIDTH)
        .height(HEIGHT)
        .datasource(SOURCE)
    )
    for number, query in enumerate(panel.queries):
        built = built.with_target(
            prometheus.Dataquery()
            .expr(query.expr)
            .legend_format(query.legend)
            .ref_id(chr(ord("A") + number))
        )
    return built
