// The map: holds what is to be seen, paints it once a frame, answers where a
// point of the screen is.

import { CellIndex, keyRows, outlineOf } from "./cells.js";
import { paintAreaNames, paintRanks } from "./labels.js";
import * as layers from "./layers.js";
import { readPalette } from "./palette.js";
import { boundsOf, overlap, View } from "./projection.js";
import { classColours, classIndex } from "./ramp.js";

const FIT_PADDING = 28;
const RANKED = 10;

export class RiskMap {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.view = new View();
    this.palette = readPalette(canvas);
    this.cells = [];
    this.areas = [];
    this.rows = new Map();
    this.groups = [];
    this.hovered = null;
    this.selected = null;
    this.isolated = null;
    this.showsKeyArea = true;
    this.frame = 0;
    new ResizeObserver(() => this.resize()).observe(canvas);
  }

  setGeometry({ cells, areas, projection }) {
    this.cells = cells;
    this.areas = areas;
    this.projection = projection;
    this.index = new CellIndex(cells);
    this.areaPath = layers.ringsPath(areas.flatMap((area) => area.polygons.flat()));
    this.view.fit(boundsOf(cells.flatMap((cell) => cell.ring)), FIT_PADDING);
    this.resize();
  }

  setForecast({ rows, classes }) {
    this.rows = new Map(rows.map((row) => [row.id, row]));
    this.classes = classes;
    this.topRows = rows.filter((row) => row.cell).slice(0, RANKED);
    const key = keyRows(rows).map((row) => row.cell);
    this.keyPath = layers.edgesPath(outlineOf(key, this.index));
    this.recolour();
  }

  /** Groups cells by class in the colours of the theme. */
  recolour() {
    this.palette = readPalette(this.canvas);
    if (!this.classes) return;
    const rings = this.classes.map(() => []);
    // In the order of the grid, in which neighbours are near each other.
    for (const cell of this.cells) {
      const row = this.rows.get(cell.id);
      if (row) rings[classIndex(this.classes, row.probability)].push(cell.ring);
    }
    this.colours = classColours(this.classes.length, this.palette.theme);
    this.groups = rings.map((members, position) => ({
      pieces: layers.ringPieces(members),
      colour: this.colours[position],
    }));
    this.groups.cellSizeKm = this.index.size / 2;
    this.repaint();
  }

  cellAt(point) {
    return this.index ? this.index.at(this.view.toPlane(point)) : null;
  }

  rowOf(cell) {
    return this.rows.get(cell.id);
  }

  show({ hovered = this.hovered, selected = this.selected }) {
    this.hovered = hovered;
    this.selected = selected;
    this.repaint();
  }

  resize() {
    const { clientWidth, clientHeight } = this.canvas;
    this.density = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(clientWidth * this.density);
    this.canvas.height = Math.round(clientHeight * this.density);
    this.view.resize(clientWidth, clientHeight);
    this.paint();
  }

  repaint() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => this.paint());
  }

  paint() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    if (!this.projection) return;
    const scene = this.scene();
    this.context.setTransform(1, 0, 0, 1, 0, 0);
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    layers.toScreen(this.context, this.density);
    layers.paintGraticule(this.context, scene);
    layers.toPlane(this.context, this.view, this.density);
    this.paintPlane(scene);
    layers.toScreen(this.context, this.density);
    this.paintWords(scene);
    this.describe();
  }

  scene() {
    const { view, palette, projection, isolated } = this;
    return { view, palette, projection, isolated };
  }

  paintPlane(scene) {
    const { context, palette, view } = this;
    layers.paintAreas(context, this.areaPath, palette);
    layers.paintCells(context, this.groups, scene);
    const isNear = view.zoom > 2;
    layers.paintOutline(context, this.areaPath, {
      view,
      colour: isNear ? palette.nearBorder : palette.border,
      width: isNear ? 1.3 : 0.7,
      halo: isNear && palette.borderHalo,
    });
    if (this.showsKeyArea && this.keyPath) {
      const outline = { view, colour: palette.key, width: 1.8, halo: palette.keyHalo };
      layers.paintOutline(context, this.keyPath, outline);
    }
    this.paintMarks();
  }

  paintMarks() {
    const { context, palette, view } = this;
    const marks = [
      [this.hovered, { view, colour: palette.hover, width: 2, halo: palette.halo }],
      [this.selected, { view, colour: palette.select, width: 3, halo: palette.halo }],
    ];
    for (const [cell, style] of marks) {
      if (cell) layers.paintOutline(context, layers.ringsPath([cell.ring]), style);
    }
  }

  paintWords(scene) {
    const { context, view } = this;
    const isRoomy = this.groups.cellSizeKm * view.pixelsPerKm > 7;
    const colourOf = (row) => this.colours[classIndex(this.classes, row.probability)];
    const ranked = isRoomy && this.isolated === null ? (this.topRows ?? []) : [];
    const taken = paintRanks(context, ranked, { ...scene, colourOf });
    paintAreaNames(context, this.areas, { ...scene, taken });
    layers.paintScaleBar(context, scene);
    layers.paintNorth(context, scene);
  }

  /** What was painted, for style sheets, assistive tools and tests. */
  describe() {
    const { view, canvas } = this;
    const bounds = view.seenBounds();
    const isSeen = ({ centre: [x, y], id }) =>
      overlap([x, y, x, y], bounds) && this.rows.has(id);
    const seen = this.cells.filter(isSeen);
    canvas.dataset.cellsDrawn = String(seen.length);
    canvas.dataset.zoom = view.zoom.toFixed(2);
  }
}
