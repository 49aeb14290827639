// Numbers and instants as people read them.

const whole = new Intl.NumberFormat("en");

export function formatCount(count) {
  return whole.format(count);
}

/** Two significant digits: 0.053 %, 0.53 %, 5.0 %, 53 %. */
export function formatPercent(probability) {
  const percent = probability * 100;
  if (percent === 0) return "0 %";
  if (percent < 0.001) return "< 0.001 %";
  if (percent > 99 && percent < 100) return `${percent.toFixed(1)} %`;
  const digits = Math.max(0, 1 - Math.floor(Math.log10(percent)));
  return `${percent.toFixed(digits)} %`;
}

/** A round value without trailing zeros: 0.05 %, 2 %, 20 %. */
export function formatEdge(probability) {
  return `${Number((probability * 100).toPrecision(3))} %`;
}

export function formatInterval(low, high) {
  return `${formatPercent(low).replace(" %", "")} – ${formatPercent(high)}`;
}

/** A small probability as odds people can picture: "1 in 28". */
export function formatOneIn(probability) {
  if (!(probability > 0)) return "never";
  const times = 1 / probability;
  return `1 in ${times < 10 ? times.toFixed(1) : formatCount(Number(times.toPrecision(2)))}`;
}

/** "1 Jan 2024, 05:40 CST"; the zone by its own abbreviation where it has one. */
export function formatInstant(instant, timeZone) {
  const date = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(instant);
  return `${date} ${zoneName(instant, timeZone)}`;
}

/** "1 Jan 2024" */
export function formatDay(instant, timeZone) {
  return new Intl.DateTimeFormat("en-GB", { timeZone, dateStyle: "medium" }).format(instant);
}

function zoneName(instant, timeZone) {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone,
    timeZoneName: "short",
  }).formatToParts(instant);
  return parts.find(({ type }) => type === "timeZoneName").value;
}
