// The back-test: how often the model would have been right, beside its baselines.

import { element, svg } from "./dom.js";
import { formatCount, formatDay } from "./format.js";

const AREA_SHARE = "0.05";
const NAMES = { long_run_count: "Long-run count" };

/** `backtest` is the report stored with the model version; null without one. */
export function renderBacktest(target, backtest, timeZone) {
  if (!backtest?.models?.length) {
    const none = "No back-test is stored for this model version.";
    target.replaceChildren(element("p", { class: "muted" }, none));
    return;
  }
  const [tested, ...baselines] = backtest.models;
  const most = Math.max(...backtest.models.map(hitRateOf), 1e-9);
  target.replaceChildren(
    element("p", { class: "skill-title" }, "Events caught in the riskiest 5 % of the area"),
    skillBar("This model", hitRateOf(tested), most, "skill-model"),
    ...baselines.map((model) =>
      skillBar(nameOf(model.kind), hitRateOf(model), most, "skill-baseline"),
    ),
    ...Object.entries(backtest.information_gain).map(gainOf),
    element("p", { class: "small" }, scopeOf(backtest, timeZone)),
  );
}

/**
 * The gain in nats is the logarithm of the mean ratio of probabilities. Its bounds are
 * null where windows are too few for an interval.
 */
function gainOf([kind, { value, low, high }]) {
  const baseline = nameOf(kind).toLowerCase();
  const verdict = low > 0 ? "better than" : high < 0 ? "worse than" : "not told apart from";
  const interval =
    low === null || high === null
      ? "too few windows for an interval"
      : `95 % interval ${signed(low)} to ${signed(high)}`;
  return element(
    "p",
    { class: "skill-gain" },
    element("b", {}, `${signed(value)} nats an event`),
    ` (${interval}): ${verdict} the ${baseline}. ` +
      `Places and times of events were given ${Math.exp(value).toFixed(2)} times ` +
      "its probability.",
  );
}

function scopeOf(backtest, timeZone) {
  const start = new Date(backtest.first_origin_s * 1000);
  const end = new Date((backtest.last_origin_s + backtest.horizon_s) * 1000);
  return (
    `${formatCount(backtest.n_events)} events in ${formatCount(backtest.n_origins)} windows, ` +
    `${formatDay(start, timeZone)} to ${formatDay(end, timeZone)}; each forecast knew only ` +
    "what came before it."
  );
}

function skillBar(title, share, most, kind) {
  return element(
    "div",
    { class: `skill-bar ${kind}` },
    element("span", {}, title),
    svg(
      "svg",
      { viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" },
      svg("rect", { class: "bar-track", width: 100, height: 8 }),
      svg("rect", { class: "bar-value", width: (share / most) * 100, height: 8 }),
    ),
    element("b", {}, `${(share * 100).toFixed(1)} %`),
  );
}

function hitRateOf(model) {
  return model.hit_rate[AREA_SHARE] ?? 0;
}

function nameOf(kind) {
  return NAMES[kind] ?? kind.replaceAll("_", " ");
}

function signed(value) {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
}
