// Colour classes: where one begins, what it is called, which colour it has.

import { formatEdge } from "./format.js";

// Magma, of the viridis family: lightness rises evenly, so it reads the same
// with any kind of colour vision and in grey print. More risk stands out from
// the paper: darker on light, lighter on dark.
const STOPS = [
  "#140e36", "#3b0f70", "#641a80", "#8c2981", "#b73779",
  "#de4968", "#f7705c", "#fe9f6d", "#fecf92", "#fcfdbf",
].map(channelsOf);

// Parts of the ramp that differ enough from the paper of each theme.
const SPAN = { light: [0.985, 0.1], dark: [0.14, 1] };

const SERIES = [
  [1, 2, 5],
  [1, 1.5, 2, 3, 5, 7],
];
const MOST_BREAKS = 7;
const ENOUGH_BREAKS = 5;
const RANK_SHARES = [0.5, 0.75, 0.9, 0.95, 0.98];

/** Classes between round probabilities (1–2–5 steps): about the same ratio a
 * step, which suits values that span orders of magnitude. Where there are more
 * steps than the eye can keep apart, the highest ones are kept. */
export function stepClasses(values) {
  const sorted = ascending(values);
  const low = quantile(sorted, 0.15);
  const high = sorted.at(-1) ?? 0;
  const choices = SERIES.map((series) => breaksBetween(low, high, series));
  const breaks =
    choices.find(({ length }) => length >= ENOUGH_BREAKS) ?? choices.at(-1);
  return classesFrom(breaks.slice(-MOST_BREAKS), sorted);
}

/** Classes by rank: half of the cells, the next quarter, … the top 2 %, each
 * edge rounded so that a cell is in the class that the legend says. */
export function rankClasses(values) {
  const sorted = ascending(values);
  const breaks = RANK_SHARES.map((share) =>
    Number(quantile(sorted, share).toPrecision(2)),
  );
  const distinct = breaks.filter((edge, at) => edge > (breaks[at - 1] ?? sorted[0]));
  return classesFrom(distinct, sorted);
}

export function classIndex(classes, value) {
  let found = 0;
  while (found + 1 < classes.length && value >= classes[found + 1].from) found += 1;
  return found;
}

/** One CSS colour a class, lowest first. */
export function classColours(count, theme) {
  const [start, end] = SPAN[theme];
  return Array.from({ length: count }, (_, position) => {
    const share = count > 1 ? position / (count - 1) : 1;
    return rampColour(start + (end - start) * share);
  });
}

/** Ink that can be read on a colour of the ramp. */
export function inkOn(colour) {
  const [red, green, blue] = channelsOf(colour);
  return red * 0.299 + green * 0.587 + blue * 0.114 > 140 ? "#17131f" : "#ffffff";
}

function classesFrom(breaks, sorted) {
  const edges = [0, ...breaks];
  return edges.map((from, position) => {
    const to = edges[position + 1] ?? Infinity;
    return {
      from,
      to,
      label: labelOf(from, to),
      count: sorted.filter((value) => value >= from && value < to).length,
    };
  });
}

function labelOf(from, to) {
  if (from === 0 && to === Infinity) return "all cells";
  if (from === 0) return `below ${formatEdge(to)}`;
  if (to === Infinity) return `${formatEdge(from)} and more`;
  return `${formatEdge(from).replace(" %", "")} – ${formatEdge(to)}`;
}

function breaksBetween(low, high, series) {
  if (!(high > 0)) return [];
  const floor = Math.max(low, high / 1e6);
  const breaks = [];
  for (let power = -9; power <= 0; power += 1) {
    for (const mantissa of series) {
      const edge = Number(`${mantissa}e${power}`);
      if (edge > floor && edge <= high && edge < 1) breaks.push(edge);
    }
  }
  return breaks;
}

function ascending(values) {
  return Float64Array.from(values).sort();
}

function quantile(sorted, share) {
  if (sorted.length === 0) return 0;
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

function rampColour(share) {
  const place = Math.min(Math.max(share, 0), 1) * (STOPS.length - 1);
  const below = Math.min(Math.floor(place), STOPS.length - 2);
  const channels = STOPS[below].map((channel, axis) =>
    Math.round(channel + (STOPS[below + 1][axis] - channel) * (place - below)),
  );
  return `#${channels.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

function channelsOf(colour) {
  return [1, 3, 5].map((start) => Number.parseInt(colour.slice(start, start + 2), 16));
}
