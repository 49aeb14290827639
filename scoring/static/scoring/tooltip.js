// The card that follows the pointer or sits beside the cell in focus.

import { element } from "./dom.js";
import { formatInterval, formatOneIn, formatPercent } from "./format.js";

const GAP_PX = 14;

/** `anchor` is the middle of the cell on screen. */
export function showTooltip(card, { cell, row, anchor, cellCount }) {
  card.replaceChildren(...contentsOf({ cell, row, cellCount }));
  card.dataset.cell = cell.id;
  card.dataset.anchor = anchor.map(Math.round).join();
  card.hidden = false;
  placeBeside(card, anchor);
}

export function hideTooltip(card) {
  card.hidden = true;
  delete card.dataset.cell;
  delete card.dataset.anchor;
}

/** The same facts as one sentence, for the live region. */
export function sentenceOf({ cell, row, cellCount }) {
  const place = cell.areaName || `cell ${cell.id}`;
  if (!row) return `${place}: no forecast for this cell.`;
  return (
    `${place}: ${formatPercent(row.probability)}, ` +
    `90 % interval ${formatInterval(row.low, row.high)}, ` +
    `rank ${row.rank} of ${cellCount}.`
  );
}

function contentsOf({ cell, row, cellCount }) {
  const title = element("strong", { class: "tooltip-title" }, cell.areaName || "Cell");
  const code = element("span", { class: "tooltip-code" }, cell.id);
  if (!row) return [title, element("p", {}, "No forecast for this cell."), code];
  const chance = element(
    "p",
    { class: "tooltip-chance" },
    element("b", {}, formatPercent(row.probability)),
    ` ${formatOneIn(row.probability)}`,
  );
  const facts = element(
    "dl",
    {},
    ...pair("90 % interval", formatInterval(row.low, row.high)),
    ...pair("Rank", `${row.rank} of ${cellCount}`),
  );
  return [title, chance, facts, code];
}

function pair(term, text) {
  return [element("dt", {}, term), element("dd", {}, text)];
}

/** Right of and above the point, turned over where that would leave the map. */
function placeBeside(card, [left, top]) {
  const { clientWidth, clientHeight } = card.parentElement;
  const { offsetWidth, offsetHeight } = card;
  const isRoomRight = left + GAP_PX + offsetWidth < clientWidth;
  const x = isRoomRight ? left + GAP_PX : left - GAP_PX - offsetWidth;
  const y = top - GAP_PX - offsetHeight;
  const boundedX = Math.max(4, Math.min(x, clientWidth - offsetWidth - 4));
  const boundedY = y < 4 ? Math.min(top + GAP_PX, clientHeight - offsetHeight - 4) : y;
  card.style.transform = `translate(${Math.round(boundedX)}px, ${Math.round(boundedY)}px)`;
}
