// Draws the charts of the page of operators, and reloads the page now and then.

const RELOAD_MS = 30_000;
const HEIGHT = 180;
const LIGHT = ["#7a2182", "#0b6e6e", "#b3541e", "#0057b8", "#6b4300", "#8c1c13"];
const DARK = ["#d9a0e0", "#5ee0d2", "#f2a679", "#6db5ff", "#f3d69a", "#f09a92"];

const isDark = () => {
  const chosen = document.documentElement.dataset.theme;
  return chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
};

const FORMATS = {
  s: (value) => (value < 1 ? `${Number((1000 * value).toPrecision(3))} ms` : `${Number(value.toPrecision(3))} s`),
  "/s": (value) => `${Number(value.toPrecision(3))}/s`,
  share: (value) => `${(100 * value).toFixed(1)} %`,
  bytes: (value) => `${Math.round(value / 2 ** 20)} MB`,
  "": (value) => String(Number(value.toPrecision(4))),
};

function lastOf(values) {
  for (let index = values.length - 1; index >= 0; index -= 1) {
    if (values[index] !== null) return values[index];
  }
  return null;
}

function draw(plots, at, chart) {
  const figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  const shown = FORMATS[chart.unit] ?? FORMATS[""];
  const latest = chart.lines
    .map((line) => [line.name, lastOf(line.values)])
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${shown(value)}`);
  const title = document.createElement("h3");
  title.textContent = chart.title;
  const text = document.createElement("p");
  text.textContent = latest.length ? latest.join(" · ") : "nothing yet";
  caption.append(title, text);
  figure.append(caption);
  plots.append(figure);
  if (!latest.length) return;
  const colours = isDark() ? DARK : LIGHT;
  const ink = isDark() ? "#a49eb1" : "#645f70";
  const grid = { stroke: isDark() ? "#35303f" : "#e4e1ea", width: 1 };
  const plot = new uPlot(
    {
      width: figure.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { drag: { x: false, y: false } },
      scales: { y: { range: (_, low, high) => [Math.min(0, low), high > 0 ? 1.1 * high : 1] } },
      series: [
        {},
        ...chart.lines.map((line, index) => ({
          label: line.name,
          stroke: colours[index % colours.length],
          width: 1.5,
          spanGaps: false,
        })),
      ],
      axes: [
        { stroke: ink, grid },
        { stroke: ink, grid, size: 70, values: (_, ticks) => ticks.map(shown) },
      ],
    },
    [at, ...chart.lines.map((line) => line.values)],
    figure,
  );
  plot.root.setAttribute("aria-hidden", "true");
  new ResizeObserver(() => plot.setSize({ width: figure.clientWidth, height: HEIGHT })).observe(figure);
}

const data = JSON.parse(document.getElementById("charts-data").textContent);
const plots = document.getElementById("plots");
for (const chart of data.charts) draw(plots, data.at, chart);
setInterval(() => {
  if (document.visibilityState === "visible") location.reload();
}, RELOAD_MS);
