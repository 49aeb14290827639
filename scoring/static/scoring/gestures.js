// Pointer, wheel and keyboard on the map, turned into pans, zooms and picks.

const WHEEL_STEP = 0.0016;
const KEY_ZOOM = 1.5;
const KEY_PAN_PX = 80;
const CLICK_SLACK_PX = 5;
const DIRECTIONS = {
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
};

/** `actions`: pan(dx, dy), zoom(factor, point?), reset(), hover(point | null),
 * pick(point), step(direction), clear(). */
export function listenToGestures(canvas, actions) {
  listenToPointers(canvas, actions);
  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
      const factor = Math.exp(-event.deltaY * lines * WHEEL_STEP);
      actions.zoom(factor, pointOf(event));
    },
    { passive: false },
  );
  canvas.addEventListener("dblclick", (event) => actions.zoom(2, pointOf(event)));
  canvas.addEventListener("keydown", (event) => {
    if (isHandledKey(event, actions)) event.preventDefault();
  });
}

function listenToPointers(canvas, actions) {
  const pointers = new Map();
  let travelled = 0;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    if (pointers.size === 0) travelled = 0;
    pointers.set(event.pointerId, pointOf(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    const now = pointOf(event);
    if (!before) {
      actions.hover(now);
      return;
    }
    const partner = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (partner) pinch(actions, { before, now, partner });
    else if (travelled > CLICK_SLACK_PX) {
      actions.pan(now[0] - before[0], now[1] - before[1]);
    }
    travelled += Math.hypot(now[0] - before[0], now[1] - before[1]);
    pointers.set(event.pointerId, now);
  });
  const release = (event) => {
    const wasDown = pointers.delete(event.pointerId);
    const isTap = wasDown && event.type === "pointerup" && pointers.size === 0;
    if (isTap && travelled <= CLICK_SLACK_PX) actions.pick(pointOf(event));
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("pointerleave", () => actions.hover(null));
}

function pinch(actions, { before, now, partner }) {
  const spread = (point) => Math.hypot(point[0] - partner[0], point[1] - partner[1]);
  const middle = (point) => [(point[0] + partner[0]) / 2, (point[1] + partner[1]) / 2];
  const [fromX, fromY] = middle(before);
  const [toX, toY] = middle(now);
  actions.pan(toX - fromX, toY - fromY);
  actions.zoom(spread(now) / Math.max(spread(before), 1), middle(now));
}

/** Arrows walk from cell to cell, with Shift they move the map. */
function isHandledKey(event, actions) {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const direction = DIRECTIONS[event.key];
  if (direction && event.shiftKey) {
    actions.pan(-direction[0] * KEY_PAN_PX, -direction[1] * KEY_PAN_PX);
  } else if (direction) actions.step(direction);
  else if (event.key === "+" || event.key === "=") actions.zoom(KEY_ZOOM);
  else if (event.key === "-") actions.zoom(1 / KEY_ZOOM);
  else if (event.key === "0") actions.reset();
  else if (event.key === "Escape") actions.clear();
  else return false;
  return true;
}

function pointOf(event) {
  const box = event.target.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}
