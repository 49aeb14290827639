// Words on the map: names of areas that have room, ranks of the riskiest cells.

import { haloText } from "./layers.js";
import { inkOn } from "./ramp.js";

const LINE_HEIGHT = 13;

/** Largest areas first; a name is left out rather than laid over another. */
export function paintAreaNames(context, areas, { view, palette, taken }) {
  context.font = palette.labelFont;
  context.textAlign = "center";
  const ordered = [...areas].sort((a, b) => b.areaKm2 - a.areaKm2);
  for (const area of ordered) {
    if (!area.name) continue;
    const lines = linesOf(area.name);
    const place = view.toScreen(area.labelPoint);
    const box = boxOf(context, lines, place);
    const isFree = !taken.some((other) => overlaps(box, other));
    if (!isFree || !fits(box, area, view)) continue;
    taken.push(box);
    lines.forEach((text, at) => {
      const base = box.top + LINE_HEIGHT * (at + 0.8);
      haloText(context, text, [place[0], base], palette);
    });
  }
  context.textAlign = "start";
}

/** Rank inside the cell where a figure has room; returns the boxes it covers. */
export function paintRanks(context, rows, { view, palette, colourOf }) {
  context.font = palette.rankFont;
  context.textAlign = "center";
  context.textBaseline = "middle";
  const boxes = rows.map((row) => {
    const [left, top] = view.toScreen(row.cell.centre);
    context.fillStyle = inkOn(colourOf(row));
    context.fillText(String(row.rank), left, top + 0.5);
    return { left: left - 8, right: left + 8, top: top - 8, bottom: top + 8 };
  });
  context.textAlign = "start";
  context.textBaseline = "alphabetic";
  return boxes;
}

/** Two lines where a name is long and has a space near its middle. */
function linesOf(name) {
  if (name.length < 11 || !name.includes(" ")) return [name];
  const spaces = [...name.matchAll(/ /g)].map(({ index }) => index);
  const middle = name.length / 2;
  const cut = spaces.reduce((best, at) =>
    Math.abs(at - middle) < Math.abs(best - middle) ? at : best,
  );
  return [name.slice(0, cut), name.slice(cut + 1)];
}

function boxOf(context, lines, [left, top]) {
  const width = Math.max(...lines.map((text) => context.measureText(text).width));
  const height = lines.length * LINE_HEIGHT;
  return {
    left: left - width / 2 - 3,
    right: left + width / 2 + 3,
    top: top - height / 2,
    bottom: top + height / 2,
  };
}

function fits(box, area, view) {
  const [west, north, east, south] = area.labelBounds;
  const room = (east - west) * view.pixelsPerKm;
  const tall = (south - north) * view.pixelsPerKm;
  const isInside =
    box.left > 2 && box.right < view.width - 2 && box.top > 2 && box.bottom < view.height - 2;
  return isInside && box.right - box.left < room && box.bottom - box.top < tall * 0.6;
}

function overlaps(a, b) {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
