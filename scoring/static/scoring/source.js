// Where the page gets a region's shapes and forecasts from, each read once.

import { readJson } from "./api.js";
import { areasFromGeoJson, nameCells } from "./areas.js";
import { cellsFromGeoJson, cornersOf, rankedRows } from "./cells.js";
import { Projection } from "./projection.js";

export class ForecastSource {
  constructor(apiRoot, slug) {
    this.apiRoot = apiRoot;
    this.slug = encodeURIComponent(slug);
    this.forecasts = new Map();
    this.geometry = null;
  }

  /** Shapes and rows for a horizon. A failure is not kept: asking again retries. */
  async read(horizonSec) {
    const [geometry, answer] = await Promise.all([
      this.readGeometry(),
      this.readAnswer(horizonSec),
    ]);
    const rows = rankedRows(geometry.cells, answer.aggregated);
    return { geometry, rows };
  }

  async readGeometry() {
    if (this.geometry) return this.geometry;
    const region = `${this.apiRoot}regions/${this.slug}`;
    const [cells, boundary] = await Promise.all([
      readJson(`${region}/cells?format=geojson`),
      readBoundary(`${region}/boundary`),
    ]);
    this.geometry = geometryOf(cells, boundary);
    return this.geometry;
  }

  async readAnswer(horizonSec) {
    const kept = this.forecasts.get(horizonSec);
    if (kept) return kept;
    const query = `region=${this.slug}&horizon_sec=${horizonSec}`;
    const answer = await readJson(`${this.apiRoot}risk-map?${query}`);
    this.forecasts.set(horizonSec, answer);
    return answer;
  }
}

/** The base map is a help, not a condition: without it the cells still show. */
async function readBoundary(path) {
  try {
    return await readJson(path);
  } catch {
    return { features: [] };
  }
}

function geometryOf(cellCollection, boundary) {
  const corners = cellCollection.features.map(({ geometry }) => cornersOf(geometry)[0]);
  const latitudes = corners.map(([, latitude]) => latitude);
  const middle = (Math.min(...latitudes) + Math.max(...latitudes)) / 2;
  const projection = new Projection(meanLongitude(corners), middle);
  const cells = cellsFromGeoJson(cellCollection, projection);
  const areas = areasFromGeoJson(boundary, projection);
  nameCells(cells, areas);
  return { cells, areas, projection };
}

/** The middle of places also where longitudes begin anew between them. */
function meanLongitude(places) {
  const angles = places.map(([longitude]) => (longitude * Math.PI) / 180);
  const sumOf = (wave) => angles.reduce((sum, angle) => sum + wave(angle), 0);
  return (Math.atan2(sumOf(Math.sin), sumOf(Math.cos)) * 180) / Math.PI;
}
