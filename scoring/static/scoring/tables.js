// The top ten and the table of all cells: the same facts as the map, as text.

import { element, svg } from "./dom.js";
import { formatCount, formatInterval, formatPercent } from "./format.js";

const PAGE_ROWS = 100;
const INTERVAL_WIDTH = 100;

export function renderTopCells(body, rows, onSelect) {
  const high = Math.max(...rows.map((row) => row.high), 1e-9);
  body.replaceChildren(
    ...rows.map((row) =>
      rowElement(row, onSelect, [
        element("td", { class: "number strong" }, formatPercent(row.probability)),
        element(
          "td",
          { class: "number interval" },
          intervalMark(row, high),
          element("span", {}, formatInterval(row.low, row.high)),
        ),
      ]),
    ),
  );
}

/** Rows in the wanted order, a page at a time. */
export class CellTable {
  constructor({ body, filter, summary, more, headers }, onSelect) {
    Object.assign(this, { body, filter, summary, more, headers, onSelect });
    this.rows = [];
    this.limit = PAGE_ROWS;
    this.order = { key: "rank", isDescending: false };
    filter.addEventListener("input", () => this.restart());
    more.addEventListener("click", () => this.showMore());
    for (const button of headers) {
      button.addEventListener("click", () => this.sortBy(button.dataset.sort));
    }
  }

  setRows(rows) {
    this.rows = rows;
    this.restart();
  }

  sortBy(key) {
    const isSame = this.order.key === key;
    this.order = { key, isDescending: isSame && !this.order.isDescending };
    this.restart();
  }

  restart() {
    this.limit = PAGE_ROWS;
    this.render();
  }

  showMore() {
    this.limit += PAGE_ROWS;
    this.render();
  }

  render() {
    const found = this.foundRows();
    const shown = found.slice(0, this.limit);
    this.body.replaceChildren(
      ...shown.map((row) => rowElement(row, this.onSelect, figureCells(row))),
    );
    const all = `${formatCount(found.length)} of ${formatCount(this.rows.length)} cells`;
    this.summary.textContent =
      shown.length < found.length ? `${all}, first ${shown.length} shown` : all;
    this.more.hidden = shown.length === found.length;
    this.markOrder();
  }

  foundRows() {
    const wanted = this.filter.value.trim().toLowerCase();
    const { key, isDescending } = this.order;
    const sign = isDescending ? -1 : 1;
    return this.rows
      .filter((row) => `${placeOf(row)} ${row.id}`.toLowerCase().includes(wanted))
      .sort((a, b) => sign * compare(sortValue(a, key), sortValue(b, key)));
  }

  markOrder() {
    for (const button of this.headers) {
      const isOrder = button.dataset.sort === this.order.key;
      const direction = this.order.isDescending ? "descending" : "ascending";
      button.closest("th").setAttribute("aria-sort", isOrder ? direction : "none");
    }
  }
}

/** Shows in every table which row belongs to the cell picked on the map. */
export function markSelected(root, cellId) {
  for (const row of root.querySelectorAll("tr[data-cell]")) {
    const isSelected = row.dataset.cell === cellId;
    row.classList.toggle("is-selected", isSelected);
    row.querySelector("button").setAttribute("aria-pressed", String(isSelected));
  }
}

export function placeOf(row) {
  return row.cell?.areaName || row.id;
}

function rowElement(row, onSelect, cells) {
  const button = element(
    "button",
    { type: "button", class: "place", "aria-pressed": "false", title: row.id },
    placeOf(row),
  );
  const line = element(
    "tr",
    { "data-cell": row.id },
    element("td", { class: "rank" }, String(row.rank)),
    element("th", { scope: "row" }, button),
    ...cells,
  );
  line.addEventListener("click", () => onSelect(row.id));
  return line;
}

function figureCells(row) {
  return [
    element("td", { class: "code" }, row.id),
    element("td", { class: "number strong" }, formatPercent(row.probability)),
    element("td", { class: "number" }, formatPercent(row.low)),
    element("td", { class: "number" }, formatPercent(row.median)),
    element("td", { class: "number" }, formatPercent(row.high)),
  ];
}

/** Line from the 5 % to the 95 % quantile, dot at the probability. */
function intervalMark({ low, high, probability }, most) {
  const at = (value) => (value / most) * (INTERVAL_WIDTH - 8) + 4;
  return svg(
    "svg",
    { class: "interval-mark", viewBox: `0 0 ${INTERVAL_WIDTH} 10`, "aria-hidden": "true" },
    svg("line", { x1: at(low), x2: at(high), y1: 5, y2: 5 }),
    svg("circle", { cx: at(probability), cy: 5, r: 3.5 }),
  );
}

function sortValue(row, key) {
  return key === "place" ? placeOf(row) : row[key];
}

function compare(a, b) {
  return typeof a === "string" ? a.localeCompare(b) : a - b;
}
