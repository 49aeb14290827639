// Where things are: a local Mercator plane in kilometres, and the window onto it.

const EARTH_RADIUS_KM = 6371.0088;
const RADIANS = Math.PI / 180;
const MAX_LATITUDE = 85;

/** Web Mercator around a reference point, scaled so that one unit is one
 * kilometre there. Local coordinates stay small: a canvas path keeps single
 * precision only, and whole-world coordinates would tremble when zoomed in. */
export class Projection {
  constructor(longitude, latitude) {
    this.longitude = longitude;
    this.latitude = latitude;
    this.unit = EARTH_RADIUS_KM * Math.cos(latitude * RADIANS);
    this.originY = mercatorY(latitude);
  }

  project([longitude, latitude]) {
    const turned = wrapDegrees(longitude - this.longitude);
    const x = this.unit * turned * RADIANS;
    const y = -this.unit * (mercatorY(latitude) - this.originY);
    return [x, y];
  }

  unproject([x, y]) {
    const longitude = wrapDegrees(this.longitude + x / this.unit / RADIANS);
    const mercator = this.originY - y / this.unit;
    const latitude = (2 * Math.atan(Math.exp(mercator)) - Math.PI / 2) / RADIANS;
    return [longitude, latitude];
  }

  /** True kilometres per unit of the plane at a latitude. */
  stretchAt(latitude) {
    return Math.cos(latitude * RADIANS) / Math.cos(this.latitude * RADIANS);
  }
}

/** The part of the plane that a canvas shows. Pixels are CSS pixels. */
export class View {
  constructor() {
    this.width = 1;
    this.height = 1;
    this.centre = [0, 0];
    this.pixelsPerKm = 1;
    this.home = { centre: [0, 0], pixelsPerKm: 1 };
    this.bounds = [-1, -1, 1, 1];
    this.padding = 0;
  }

  resize(width, height) {
    const wasHome = this.isHome();
    this.width = Math.max(1, width);
    this.height = Math.max(1, height);
    this.home = this.homeFor(this.bounds);
    if (wasHome) this.reset();
  }

  fit(bounds, padding) {
    this.bounds = bounds;
    this.padding = padding;
    this.home = this.homeFor(bounds);
    this.reset();
  }

  homeFor([left, top, right, bottom]) {
    const roomX = Math.max(40, this.width - 2 * this.padding);
    const roomY = Math.max(40, this.height - 2 * this.padding);
    const spanX = Math.max(right - left, 1e-6);
    const spanY = Math.max(bottom - top, 1e-6);
    return {
      centre: [(left + right) / 2, (top + bottom) / 2],
      pixelsPerKm: Math.min(roomX / spanX, roomY / spanY),
    };
  }

  reset() {
    this.centre = [...this.home.centre];
    this.pixelsPerKm = this.home.pixelsPerKm;
  }

  isHome() {
    return (
      this.pixelsPerKm === this.home.pixelsPerKm &&
      this.centre[0] === this.home.centre[0] &&
      this.centre[1] === this.home.centre[1]
    );
  }

  /** Zoom as a multiple of the view that shows everything. */
  get zoom() {
    return this.pixelsPerKm / this.home.pixelsPerKm;
  }

  toScreen([x, y]) {
    return [
      (x - this.centre[0]) * this.pixelsPerKm + this.width / 2,
      (y - this.centre[1]) * this.pixelsPerKm + this.height / 2,
    ];
  }

  toPlane([left, top]) {
    return [
      (left - this.width / 2) / this.pixelsPerKm + this.centre[0],
      (top - this.height / 2) / this.pixelsPerKm + this.centre[1],
    ];
  }

  seenBounds() {
    return [...this.toPlane([0, 0]), ...this.toPlane([this.width, this.height])];
  }

  panBy(dx, dy) {
    const [left, top, right, bottom] = this.bounds;
    this.centre = [
      clamp(this.centre[0] - dx / this.pixelsPerKm, left, right),
      clamp(this.centre[1] - dy / this.pixelsPerKm, top, bottom),
    ];
  }

  /** Zooms so that the point under the pointer stays where it is. */
  zoomAt(factor, point) {
    const before = this.toPlane(point);
    const { pixelsPerKm } = this.home;
    const wanted = this.pixelsPerKm * factor;
    this.pixelsPerKm = clamp(wanted, pixelsPerKm * 0.8, pixelsPerKm * 40);
    const after = this.toScreen(before);
    this.panBy(point[0] - after[0], point[1] - after[1]);
  }

  /** Moves just far enough that a point of the plane is well inside. */
  reveal(point, margin = 60) {
    const [left, top] = this.toScreen(point);
    const dx = Math.max(margin - left, 0) || Math.min(this.width - margin - left, 0);
    const dy = Math.max(margin - top, 0) || Math.min(this.height - margin - top, 0);
    if (dx || dy) this.panBy(dx, dy);
  }
}

export function boundsOf(points) {
  const bounds = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of points) {
    bounds[0] = Math.min(bounds[0], x);
    bounds[1] = Math.min(bounds[1], y);
    bounds[2] = Math.max(bounds[2], x);
    bounds[3] = Math.max(bounds[3], y);
  }
  return bounds;
}

export function overlap([left, top, right, bottom], other) {
  return left <= other[2] && right >= other[0] && top <= other[3] && bottom >= other[1];
}

export function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

function mercatorY(latitude) {
  const bounded = clamp(latitude, -MAX_LATITUDE, MAX_LATITUDE);
  return Math.log(Math.tan(Math.PI / 4 + (bounded * RADIANS) / 2));
}

function wrapDegrees(degrees) {
  return ((((degrees + 180) % 360) + 360) % 360) - 180;
}
