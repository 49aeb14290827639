// What the map paints, one function a layer, bottom first. Layers in the plane
// use kilometres (the context is scaled); layers on top use CSS pixels.

import { boundsOf, clamp, overlap } from "./projection.js";

const GRATICULE_STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];
const SCALE_LENGTHS_KM = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
const LINES_WANTED = 5;
const RINGS_PER_PIECE = 200;
// Corners that the zoom buttons and the scale bar take.
const BUTTONS_WIDTH_PX = 100;
const SCALE_HEIGHT_PX = 44;

export function toPlane(context, view, density) {
  const scale = view.pixelsPerKm * density;
  context.setTransform(
    scale,
    0,
    0,
    scale,
    (view.width / 2) * density - view.centre[0] * scale,
    (view.height / 2) * density - view.centre[1] * scale,
  );
}

export function toScreen(context, density) {
  context.setTransform(density, 0, 0, density, 0, 0);
}

export function ringsPath(rings) {
  const path = new Path2D();
  for (const ring of rings) {
    ring.forEach(([x, y], at) => (at ? path.lineTo(x, y) : path.moveTo(x, y)));
    path.closePath();
  }
  return path;
}

/** Paths of a few rings each, with their bounds. One path of tens of thousands
 * of rings takes seconds to build; pieces out of sight need no painting. */
export function ringPieces(rings) {
  const count = Math.ceil(rings.length / RINGS_PER_PIECE);
  return Array.from({ length: count }, (_, at) => {
    const start = at * RINGS_PER_PIECE;
    const members = rings.slice(start, start + RINGS_PER_PIECE);
    return { path: ringsPath(members), bounds: boundsOf(members.flat()) };
  });
}

export function edgesPath(edges) {
  const path = new Path2D();
  for (const [start, end] of edges) {
    path.moveTo(...start);
    path.lineTo(...end);
  }
  return path;
}

export function paintAreas(context, path, palette) {
  context.fillStyle = palette.land;
  context.fill(path, "evenodd");
}

/** One colour a class. Far out, a stroke of the same colour closes the hairline
 * gaps between neighbours; near, a stroke of paper keeps the cells apart. */
export function paintCells(context, groups, { view, palette, isolated }) {
  const isNear = groups.cellSizeKm * view.pixelsPerKm > 14;
  const seen = view.seenBounds();
  context.lineWidth = 0.8 / view.pixelsPerKm;
  context.lineJoin = "round";
  groups.forEach(({ pieces, colour }, position) => {
    context.globalAlpha = isolated === null || isolated === position ? 1 : 0.12;
    context.fillStyle = colour;
    context.strokeStyle = isNear ? palette.paper : colour;
    for (const { path, bounds } of pieces) {
      if (!overlap(bounds, seen)) continue;
      context.fill(path);
      context.stroke(path);
    }
  });
  context.globalAlpha = 1;
}

export function paintOutline(context, path, { view, colour, width, halo }) {
  context.lineCap = "round";
  context.lineJoin = "round";
  if (halo) {
    context.lineWidth = (width + 2) / view.pixelsPerKm;
    context.strokeStyle = halo;
    context.stroke(path);
  }
  context.lineWidth = width / view.pixelsPerKm;
  context.strokeStyle = colour;
  context.stroke(path);
}

export function paintGraticule(context, { view, projection, palette }) {
  const [west, north] = projection.unproject(view.toPlane([0, 0]));
  const [east, south] = projection.unproject(view.toPlane([view.width, view.height]));
  const step = stepFor(Math.min(east - west, north - south));
  context.strokeStyle = palette.graticule;
  context.fillStyle = palette.faintInk;
  context.lineWidth = 1;
  context.font = palette.smallFont;
  for (const longitude of multiples(west, east, step)) {
    const [left] = view.toScreen(projection.project([longitude, south]));
    line(context, [left, 0], [left, view.height]);
    const isFree = left < view.width - BUTTONS_WIDTH_PX;
    if (isFree) context.fillText(degreesText(longitude, step, "E", "W"), left + 4, 13);
  }
  for (const latitude of multiples(south, north, step)) {
    const [, top] = view.toScreen(projection.project([west, latitude]));
    line(context, [0, top], [view.width, top]);
    const isFree = top > 30 && top < view.height - SCALE_HEIGHT_PX;
    if (isFree) context.fillText(degreesText(latitude, step, "N", "S"), 6, top - 4);
  }
}

/** The longest round length that fits a quarter of the map, true at its middle. */
export function paintScaleBar(context, { view, projection, palette }) {
  const [, latitude] = projection.unproject(view.centre);
  const pixels = view.pixelsPerKm / projection.stretchAt(latitude);
  const room = clamp(view.width / 4, 60, 160);
  const fits = SCALE_LENGTHS_KM.filter((length) => length * pixels <= room);
  const lengthKm = fits.at(-1) ?? SCALE_LENGTHS_KM[0];
  const text = lengthKm < 1 ? `${lengthKm * 1000} m` : `${lengthKm} km`;
  const left = 16;
  const base = view.height - 16;
  const right = left + lengthKm * pixels;
  const bar = [
    [left, base - 6],
    [left, base],
    [right, base],
    [right, base - 6],
  ];
  const strokes = [
    [palette.halo, 5],
    [palette.ink, 1.5],
  ];
  context.font = palette.font;
  context.lineCap = "butt";
  for (const [colour, width] of strokes) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    polyline(context, bar);
  }
  haloText(context, text, [left, base - 12], palette);
}

export function paintNorth(context, { view, palette }) {
  const left = view.width - 24;
  context.fillStyle = palette.ink;
  context.beginPath();
  context.moveTo(left, view.height - 46);
  context.lineTo(left + 6, view.height - 28);
  context.lineTo(left, view.height - 32);
  context.lineTo(left - 6, view.height - 28);
  context.closePath();
  context.strokeStyle = palette.halo;
  context.lineWidth = 4;
  context.stroke();
  context.fill();
  context.font = palette.font;
  context.textAlign = "center";
  haloText(context, "N", [left, view.height - 14], palette);
  context.textAlign = "start";
}

export function haloText(context, text, [left, base], palette) {
  context.lineJoin = "round";
  context.lineWidth = 3;
  context.strokeStyle = palette.halo;
  context.strokeText(text, left, base);
  context.fillStyle = palette.ink;
  context.fillText(text, left, base);
}

function stepFor(spanDegrees) {
  const wanted = Math.abs(spanDegrees) / LINES_WANTED;
  return GRATICULE_STEPS.find((step) => step >= wanted) ?? GRATICULE_STEPS.at(-1);
}

function multiples(low, high, step) {
  const first = Math.ceil(low / step);
  const count = Math.max(0, Math.floor(high / step) - first + 1);
  return Array.from({ length: count }, (_, at) => (first + at) * step);
}

function degreesText(degrees, step, positive, negative) {
  const digits = step < 0.1 ? 2 : step < 1 ? 1 : 0;
  const side = degrees < 0 ? negative : positive;
  return `${Math.abs(degrees).toFixed(digits)}° ${side}`;
}

function line(context, start, end) {
  polyline(context, [start, end]);
}

function polyline(context, points) {
  context.beginPath();
  points.forEach(([x, y], at) => (at ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.stroke();
}
