// The table of all cells as a CSV file, made in the browser.

import { placeOf } from "./tables.js";

const COLUMNS = ["rank", "cell_id", "area", "p_event", "q05", "q50", "q95"];
const FORMULA_STARTS = /^[=+\-@\t\r]/;

export function downloadCsv(rows, fileName) {
  const lines = [COLUMNS, ...rows.map(valuesOf)].map((values) =>
    values.map(csvField).join(","),
  );
  const blob = new Blob([`${lines.join("\r\n")}\r\n`], { type: "text/csv" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = fileName;
  link.click();
  URL.revokeObjectURL(link.href);
}

function valuesOf(row) {
  const { rank, id, probability, low, median, high } = row;
  return [rank, id, row.cell ? placeOf(row) : "", probability, low, median, high];
}

/** Quotes where needed; text that a spreadsheet would run gets an apostrophe. */
function csvField(value) {
  if (typeof value === "number") return String(value);
  const text = FORMULA_STARTS.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
