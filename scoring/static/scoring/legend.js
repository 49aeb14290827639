// The legend: real probabilities, how many cells have them, and a way to see
// the cells of one class alone.

import { element, svg } from "./dom.js";
import { formatCount } from "./format.js";

const BAR_WIDTH = 100;

/** Riskiest class first. `onIsolate` gets the index of a class, or null. */
export function renderLegend(list, { classes, colours, isolated, onIsolate }) {
  const most = Math.max(...classes.map(({ count }) => count), 1);
  const items = classes.map((entry, position) => {
    const isPressed = isolated === position;
    const button = element(
      "button",
      { type: "button", class: "legend-entry", "aria-pressed": String(isPressed) },
      swatch(colours[position]),
      element("span", { class: "legend-label" }, entry.label),
      bar(entry.count / most),
      element("span", { class: "legend-count" }, formatCount(entry.count)),
    );
    button.addEventListener("click", () => onIsolate(isPressed ? null : position));
    return element("li", {}, button);
  });
  list.replaceChildren(...items.reverse());
}

function swatch(colour) {
  return svg(
    "svg",
    { class: "legend-swatch", viewBox: "0 0 18 16", "aria-hidden": "true" },
    svg("path", { d: "M4.5.5h9L18 8l-4.5 7.5h-9L0 8z", fill: colour }),
  );
}

function bar(share) {
  const width = Math.max(share * BAR_WIDTH, share > 0 ? 1 : 0);
  return svg(
    "svg",
    {
      class: "legend-bar",
      viewBox: `0 0 ${BAR_WIDTH} 8`,
      preserveAspectRatio: "none",
      "aria-hidden": "true",
    },
    svg("rect", { class: "bar-track", width: BAR_WIDTH, height: 8 }),
    svg("rect", { class: "bar-value", width, height: 8 }),
  );
}
