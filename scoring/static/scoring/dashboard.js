// The page: wires forecast, map, legend, tables and figures together.

import { ProblemError } from "./api.js";
import { byId, pageJson } from "./dom.js";
import { downloadCsv } from "./export.js";
import { renderFacts, renderWindow, summaryOf, windowOf } from "./figures.js";
import { formatInstant } from "./format.js";
import { listenToGestures } from "./gestures.js";
import { renderLegend } from "./legend.js";
import { RiskMap } from "./map.js";
import { rankClasses, stepClasses } from "./ramp.js";
import { renderBacktest } from "./skill.js";
import { ForecastSource } from "./source.js";
import { CellTable, markSelected, renderTopCells } from "./tables.js";
import { hideTooltip, sentenceOf, showTooltip } from "./tooltip.js";

const TOP_ROWS = 10;
const BUTTON_ZOOM = 1.6;

class Dashboard {
  constructor({ region, forecasts }) {
    this.region = region;
    this.forecasts = new Map(forecasts.map((entry) => [entry.horizon_sec, entry]));
    this.root = byId("dashboard");
    this.source = new ForecastSource(this.root.dataset.apiRoot, region.slug);
    this.canvas = byId("map");
    this.map = new RiskMap(this.canvas);
    this.rows = [];
    this.horizonSec = null;
    this.table = new CellTable(
      {
        body: byId("all-cells"),
        filter: byId("cell-filter"),
        summary: byId("cell-summary"),
        more: byId("more-cells"),
        headers: [...document.querySelectorAll("[data-sort]")],
      },
      (cellId) => this.selectById(cellId),
    );
    this.listen();
  }

  listen() {
    for (const choice of document.getElementsByName("horizon_sec")) {
      choice.addEventListener("change", () => this.open(Number(choice.value)));
    }
    listenToGestures(this.canvas, this.gestures());
    byId("zoom-in").addEventListener("click", () => this.zoom(BUTTON_ZOOM));
    byId("zoom-out").addEventListener("click", () => this.zoom(1 / BUTTON_ZOOM));
    byId("zoom-fit").addEventListener("click", () => this.resetView());
    byId("retry").addEventListener("click", () => this.open(this.horizonSec));
    byId("classes").addEventListener("change", () => this.reclass());
    byId("key-area").addEventListener("change", (event) => {
      this.map.showsKeyArea = event.target.checked;
      this.map.repaint();
    });
    byId("download").addEventListener("click", () => this.download());
    this.followTheme();
  }

  /** Paper is always light, whatever the screen. */
  followTheme() {
    const recolour = () => {
      this.map.recolour();
      this.map.paint();
      this.drawLegend();
    };
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
    matchMedia("print").addEventListener("change", recolour);
    new ResizeObserver(() => this.placeTooltip()).observe(this.canvas);
  }

  gestures() {
    return {
      pan: (dx, dy) => this.moved(() => this.map.view.panBy(dx, dy)),
      zoom: (factor, point) => this.zoom(factor, point),
      reset: () => this.resetView(),
      hover: (point) => this.hover(point && this.map.cellAt(point)),
      pick: (point) => this.select(this.map.cellAt(point)),
      step: (direction) => this.step(direction),
      clear: () => this.select(null),
    };
  }

  async open(horizonSec) {
    this.horizonSec = horizonSec;
    this.setState("loading");
    try {
      const { geometry, rows } = await this.source.read(horizonSec);
      // A slow answer for a horizon that is no longer wanted is dropped.
      if (this.horizonSec !== horizonSec) return;
      this.show(geometry, rows);
      this.setState("ready");
    } catch (problem) {
      if (!(problem instanceof ProblemError)) console.error(problem);
      if (this.horizonSec === horizonSec) this.fail(problem);
    }
  }

  show(geometry, rows) {
    const forecast = this.forecasts.get(this.horizonSec);
    this.rows = rows;
    if (this.map.cells !== geometry.cells) this.map.setGeometry(geometry);
    this.reclass();
    this.table.setRows(rows);
    renderTopCells(byId("top-cells"), rows.slice(0, TOP_ROWS), (cellId) =>
      this.selectById(cellId),
    );
    renderWindow(byId("window"), forecast, this.region.timezone);
    renderFacts(byId("facts"), forecast);
    renderBacktest(byId("backtest"), forecast.backtest, this.region.timezone);
    byId("span").textContent = this.spanText(forecast);
    byId("summary").textContent = summaryOf(rows, forecast);
    this.canvas.dataset.horizonSec = String(this.horizonSec);
    this.rememberInAddress({ horizon_sec: this.horizonSec });
    this.select(this.map.selected);
  }

  spanText(forecast) {
    const { start, end } = windowOf(forecast);
    const [from, until] = [start, end].map((instant) =>
      formatInstant(instant, this.region.timezone),
    );
    return `${from} – ${until}`;
  }

  reclass() {
    const values = this.rows.map((row) => row.probability);
    const classesOf = byId("classes").value === "ranks" ? rankClasses : stepClasses;
    this.map.isolated = null;
    this.map.setForecast({ rows: this.rows, classes: classesOf(values) });
    this.drawLegend();
  }

  drawLegend() {
    const { classes, colours, isolated } = this.map;
    if (!classes) return;
    const onIsolate = (position) => {
      this.map.isolated = position;
      this.map.repaint();
      this.drawLegend();
    };
    renderLegend(byId("legend"), { classes, colours, isolated, onIsolate });
  }

  hover(cell) {
    if (this.map.hovered === cell) return;
    this.map.show({ hovered: cell });
    this.placeTooltip();
  }

  select(cell) {
    this.map.show({ selected: cell });
    markSelected(this.root, cell?.id ?? null);
    this.placeTooltip();
    byId("live").textContent = cell ? sentenceOf(this.factsOf(cell)) : "";
  }

  selectById(cellId) {
    const cell = this.rows.find((row) => row.id === cellId)?.cell;
    if (!cell) return;
    const isSame = this.map.selected === cell;
    if (!isSame) this.map.view.reveal(cell.centre);
    this.select(isSame ? null : cell);
  }

  step(direction) {
    const { index, selected, view } = this.map;
    if (!index) return;
    const next = selected ? index.neighbour(selected, direction) : this.rows[0]?.cell;
    if (!next) return;
    view.reveal(next.centre);
    this.select(next);
  }

  zoom(factor, point) {
    const { view, selected } = this.map;
    const target = selected && !point ? view.toScreen(selected.centre) : null;
    const middle = [view.width / 2, view.height / 2];
    this.moved(() => view.zoomAt(factor, point ?? target ?? middle));
  }

  resetView() {
    this.moved(() => this.map.view.reset());
  }

  moved(change) {
    change();
    this.map.repaint();
    this.placeTooltip();
  }

  placeTooltip() {
    const card = byId("tooltip");
    const cell = this.map.hovered ?? this.map.selected;
    if (!cell) {
      hideTooltip(card);
      return;
    }
    const anchor = this.map.view.toScreen(cell.centre);
    showTooltip(card, { ...this.factsOf(cell), anchor });
  }

  factsOf(cell) {
    return { cell, row: this.map.rowOf(cell), cellCount: this.rows.length };
  }

  fail(problem) {
    const { title, message, status, requestId } = problem;
    byId("problem-title").textContent = title ?? "The page could not show the forecast";
    byId("problem-detail").textContent = message;
    byId("problem-request").textContent = requestId ? `Request ${requestId}` : "";
    byId("sign-in").hidden = status !== 401 && status !== 403;
    this.setState("failed");
  }

  setState(state) {
    this.root.dataset.state = state;
    byId("map-panel").setAttribute("aria-busy", String(state === "loading"));
  }

  download() {
    downloadCsv(this.rows, `${this.region.slug}-${this.horizonSec}s.csv`);
  }

  rememberInAddress(values) {
    const address = new URL(window.location.href);
    for (const [key, value] of Object.entries(values)) {
      address.searchParams.set(key, String(value));
    }
    window.history.replaceState(null, "", address);
  }
}

function start() {
  const region = pageJson("region-data");
  const forecasts = pageJson("forecasts-data") ?? [];
  if (!region || forecasts.length === 0) return;
  const wanted = new URLSearchParams(window.location.search).get("horizon_sec");
  const choices = [...document.getElementsByName("horizon_sec")];
  const choice = choices.find(({ value }) => value === wanted) ?? choices[0];
  choice.checked = true;
  new Dashboard({ region, forecasts }).open(Number(choice.value));
}

start();
