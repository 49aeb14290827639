// Polygons of the plane: area, centroid, containment.

/** Signed area (shoelace) of a closed or open ring of [x, y]. */
export function ringArea(ring) {
  let twice = 0;
  for (let here = 0; here < ring.length; here += 1) {
    const [x1, y1] = ring[here];
    const [x2, y2] = ring[(here + 1) % ring.length];
    twice += x1 * y2 - x2 * y1;
  }
  return twice / 2;
}

/** Centroid of a ring; the mean of its corners where it encloses nothing. */
export function ringCentroid(ring) {
  const area = ringArea(ring);
  if (Math.abs(area) < 1e-12) return meanPoint(ring);
  let sumX = 0;
  let sumY = 0;
  for (let here = 0; here < ring.length; here += 1) {
    const [x1, y1] = ring[here];
    const [x2, y2] = ring[(here + 1) % ring.length];
    const cross = x1 * y2 - x2 * y1;
    sumX += (x1 + x2) * cross;
    sumY += (y1 + y2) * cross;
  }
  return [sumX / (6 * area), sumY / (6 * area)];
}

/** Even-odd test of a point against one ring. */
export function ringContains(ring, [x, y]) {
  let inside = false;
  for (let here = 0, last = ring.length - 1; here < ring.length; last = here++) {
    const [x1, y1] = ring[here];
    const [x2, y2] = ring[last];
    const crosses = y1 > y !== y2 > y;
    if (crosses && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) inside = !inside;
  }
  return inside;
}

/** Outer ring first, then holes: inside the first and in none of the others. */
export function polygonContains([outer, ...holes], point) {
  return (
    ringContains(outer, point) && !holes.some((hole) => ringContains(hole, point))
  );
}

/** The polygons of a GeoJSON geometry; points and lines have none. */
export function polygonsOf(geometry) {
  if (geometry?.type === "Polygon") return [geometry.coordinates];
  if (geometry?.type === "MultiPolygon") return geometry.coordinates;
  return [];
}

function meanPoint(ring) {
  const sum = ring.reduce(([sx, sy], [x, y]) => [sx + x, sy + y], [0, 0]);
  return [sum[0] / ring.length, sum[1] / ring.length];
}
