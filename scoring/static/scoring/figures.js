// What is known about the forecast: its window, its model version, and what the
// map adds up to.

import { keyRows } from "./cells.js";
import { element } from "./dom.js";
import { formatCount, formatInstant, formatPercent } from "./format.js";

/** What the map adds up to: how many cells, and how concentrated. */
export function summaryOf(rows, { label }) {
  const expected = sumOf(rows);
  const key = keyRows(rows);
  const share = expected > 0 ? sumOf(key) / expected : 0;
  const count = expected < 10 ? expected.toFixed(1) : formatCount(Math.round(expected));
  const all = formatCount(rows.length);
  const sentence =
    `About ${count} of ${all} cells are expected to see at least one event ` +
    `within ${label}.`;
  if (key.length === 0) return sentence;
  const cells = key.length === 1 ? "1 cell" : `${formatCount(key.length)} cells`;
  return (
    `${sentence} The riskiest 5 % of the area (${cells}, outlined) holds ` +
    `${formatPercent(share)} of that.`
  );
}

/** The span of time that the forecast covers. */
export function windowOf({ issued_for: issuedFor, horizon_sec: horizonSec }) {
  const start = new Date(issuedFor);
  const end = new Date(start.getTime() + horizonSec * 1000);
  return { start, end, isPast: end.getTime() < Date.now() };
}

export function renderWindow(target, forecast, timeZone) {
  const { start, end, isPast } = windowOf(forecast);
  const line = (title, instant) => [
    element("dt", {}, title),
    element(
      "dd",
      {},
      element("time", { datetime: instant.toISOString() }, formatInstant(instant, timeZone)),
      element("span", { class: "utc" }, formatInstant(instant, "UTC")),
    ),
  ];
  target.replaceChildren(...line("From", start), ...line("Until", end));
  target.parentElement.classList.toggle("is-past", isPast);
}

export function renderFacts(target, forecast) {
  target.replaceChildren(
    ...fact("Model version", element("code", {}, forecast.model_version)),
    ...fact("Horizon", forecast.label),
    ...fact("Events used", formatCount(forecast.event_count)),
    ...fact("Cells", formatCount(forecast.cell_count)),
  );
}

function fact(term, value) {
  return [element("dt", {}, term), element("dd", {}, value)];
}

function sumOf(rows) {
  return rows.reduce((sum, row) => sum + row.probability, 0);
}
