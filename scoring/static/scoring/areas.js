// The base map: named areas of the region, their outlines and label points.

import { polygonContains, polygonsOf, ringArea, ringCentroid } from "./geometry.js";
import { boundsOf } from "./projection.js";

export function areasFromGeoJson(collection, projection) {
  return collection.features
    .map((feature) => areaOf(feature, projection))
    .filter((area) => area.polygons.length > 0);
}

/** Writes onto each cell the name of the area that holds its centre. Cells on
 * the rim have their centre outside: any corner inside counts for them. */
export function nameCells(cells, areas) {
  let latest = null;
  for (const cell of cells) {
    for (const point of [cell.centre, ...cell.ring]) {
      const isSame = latest && contains(latest, point);
      const area = isSame ? latest : areas.find((other) => contains(other, point));
      if (area) {
        latest = area;
        cell.areaName = area.name;
        break;
      }
    }
  }
}

function areaOf(feature, projection) {
  const project = (corner) => projection.project(corner);
  const polygons = polygonsOf(feature.geometry).map((rings) =>
    rings.map((ring) => ring.map(project)),
  );
  const outers = polygons.map(([outer]) => outer);
  const largest = outers.reduce(
    (best, ring) =>
      best && Math.abs(ringArea(best)) >= Math.abs(ringArea(ring)) ? best : ring,
    null,
  );
  return {
    name: String(feature.properties?.name ?? ""),
    polygons,
    bounds: boundsOf(outers.flat()),
    labelPoint: largest && ringCentroid(largest),
    labelBounds: largest && boundsOf(largest),
    areaKm2: outers.reduce((sum, ring) => sum + Math.abs(ringArea(ring)), 0),
  };
}

function contains({ bounds: [left, top, right, bottom], polygons }, point) {
  const [x, y] = point;
  if (x < left || x > right || y < top || y > bottom) return false;
  return polygons.some((rings) => polygonContains(rings, point));
}
