// The forecast cells: shape, place, value, rank, and which one is at a point.

import { ringArea, ringCentroid, ringContains } from "./geometry.js";

const KEY_AREA_SHARE = 0.05;

/** Shapes of the grid, projected once. */
export function cellsFromGeoJson(collection, projection) {
  return collection.features.map((feature) => {
    const ring = ringOf(feature.geometry, projection);
    const centre = ringCentroid(ring);
    const [longitude, latitude] = projection.unproject(centre);
    const stretch = projection.stretchAt(latitude);
    return {
      id: String(feature.id),
      ring,
      centre,
      longitude,
      latitude,
      areaKm2: Math.abs(ringArea(ring)) * stretch * stretch,
      areaName: "",
    };
  });
}

/** The corners of a cell; one that is cut at the antimeridian has two parts. */
export function cornersOf({ type, coordinates }) {
  const outers = type === "MultiPolygon" ? coordinates.map(([outer]) => outer) : coordinates;
  return outers.flatMap((outer) => outer.slice(0, -1));
}

/** The parts of a cell put together: it is convex, so its corners go round. */
function ringOf(geometry, projection) {
  const isCut = geometry.type === "MultiPolygon";
  const corners = cornersOf(geometry);
  const whole = isCut ? corners.filter(([longitude]) => Math.abs(longitude) !== 180) : corners;
  const ring = whole.map((corner) => projection.project(corner));
  if (!isCut) return ring;
  const [x, y] = ring.reduce(([sx, sy], [cx, cy]) => [sx + cx, sy + cy], [0, 0]);
  const middle = [x / ring.length, y / ring.length];
  const turn = ([cx, cy]) => Math.atan2(cy - middle[1], cx - middle[0]);
  return ring.sort((one, other) => turn(one) - turn(other));
}

/** One row a cell with a value, riskiest first; equal values share a rank.
 * Values are joined on the hexadecimal name: a 64-bit index is not exact as a
 * JavaScript number. */
export function rankedRows(cells, aggregated) {
  const byId = new Map(cells.map((cell) => [cell.id, cell]));
  const rows = aggregated
    .map((value) => rowOf(value, byId.get(value.cell_hex)))
    .sort((a, b) => b.probability - a.probability || (a.id < b.id ? -1 : 1));
  rows.forEach((row, position) => {
    const previous = rows[position - 1];
    const isTie = previous?.probability === row.probability;
    row.rank = isTie ? previous.rank : position + 1;
  });
  return rows;
}

/** The riskiest rows that together cover at most five per cent of the area. */
export function keyRows(rows) {
  const placed = rows.filter((row) => row.cell);
  const total = placed.reduce((sum, row) => sum + row.cell.areaKm2, 0);
  let covered = 0;
  return placed.filter((row) => {
    covered += row.cell.areaKm2;
    return covered <= total * KEY_AREA_SHARE * (1 + 1e-9);
  });
}

/** Finds cells by place: buckets as wide as the widest cell. */
export class CellIndex {
  constructor(cells) {
    this.cells = cells;
    this.size = 2 * Math.max(1e-6, ...cells.slice(0, 500).map(radiusOf));
    this.buckets = new Map();
    for (const cell of cells) {
      const key = this.keyAt(cell.centre, 0, 0);
      const bucket = this.buckets.get(key);
      if (bucket) bucket.push(cell);
      else this.buckets.set(key, [cell]);
    }
  }

  at(point) {
    for (let column = -1; column <= 1; column += 1) {
      for (let row = -1; row <= 1; row += 1) {
        const bucket = this.buckets.get(this.keyAt(point, column, row)) ?? [];
        const hit = bucket.find((cell) => ringContains(cell.ring, point));
        if (hit) return hit;
      }
    }
    return null;
  }

  /** The nearest cell within 60° of a direction, for moving by keyboard. */
  neighbour(from, [dx, dy]) {
    let best = null;
    let nearest = Infinity;
    for (const cell of this.cells) {
      const east = cell.centre[0] - from.centre[0];
      const south = cell.centre[1] - from.centre[1];
      const distance = Math.hypot(east, south);
      const along = east * dx + south * dy;
      // A step to the side counts for more, so that a row is walked straight.
      const cost = distance * (2 - along / distance);
      if (distance > 0 && along > distance / 2 && cost < nearest) {
        best = cell;
        nearest = cost;
      }
    }
    return best;
  }

  nearest([x, y]) {
    const distance = ({ centre }) => Math.hypot(centre[0] - x, centre[1] - y);
    return this.cells.reduce((best, cell) =>
      distance(cell) < distance(best) ? cell : best,
    );
  }

  keyAt([x, y], columnOffset, rowOffset) {
    const column = Math.floor(x / this.size) + columnOffset;
    const row = Math.floor(y / this.size) + rowOffset;
    return `${column}:${row}`;
  }
}

/** Edges between a set of cells and everything else, as point pairs. */
export function outlineOf(cells, index) {
  const members = new Set(cells);
  const edges = [];
  for (const { ring, centre } of cells) {
    ring.forEach((start, position) => {
      const end = ring[(position + 1) % ring.length];
      // The middle of an edge, pushed outwards, lies in the cell next door.
      const beyond = [0, 1].map(
        (axis) => centre[axis] + ((start[axis] + end[axis]) / 2 - centre[axis]) * 1.5,
      );
      if (!members.has(index.at(beyond))) edges.push([start, end]);
    });
  }
  return edges;
}

function rowOf(value, cell) {
  return {
    id: value.cell_hex,
    cell,
    probability: value.p_event,
    low: value.q05,
    median: value.q50,
    high: value.q95,
    rank: 0,
  };
}

function radiusOf({ ring, centre }) {
  const reach = ([x, y]) => Math.hypot(x - centre[0], y - centre[1]);
  return Math.max(...ring.map(reach));
}
