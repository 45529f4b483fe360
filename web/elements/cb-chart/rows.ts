/** The rows of a chart's table and its thresholds, read from the page. */

export interface Row {
  readonly at: number;
  readonly word: string;
  readonly seen: number | null;
  readonly ahead: number | null;
  readonly low: number | null;
  readonly high: number | null;
}
export interface Limit {
  readonly value: number;
  readonly title: string;
  readonly colour: string;
}

/** Where the axis ends. */
export interface Ends {
  readonly least: number;
  readonly most: number;
}

/** The rows: a time in the head cell, then measured, forecast, low, high; a cell without `data-value` is a missing value. */
export function readRows(table: HTMLTableElement): readonly Row[] {
  return Array.from(table.tBodies[0]?.rows ?? []).map((row) => {
    const time = row.querySelector("time");
    const value = (index: number): number | null => numberOf(row.cells[index]?.dataset["value"]);
    return {
      at: Date.parse(time?.dateTime ?? ""),
      word: time?.title ?? "",
      seen: value(1),
      ahead: value(2),
      low: value(3),
      high: value(4),
    };
  });
}

/** Whether the values lie so close together, far from 0, that an axis from 0 would flatten them; the server draws by the same rule. */
export function closeTogether(rows: readonly Row[]): boolean {
  const values = rows.flatMap((row) => [row.seen, row.ahead, row.low, row.high]).filter((value): value is number => value !== null);
  return values.length > 0 && Math.min(...values) > 0.6 * Math.max(...values);
}

/** Where the time axis is marked: every few hours or days, at hours that the district's midnight divides, in ms. */
export function hourMarks(rows: readonly Row[]): number[] {
  const first = rows[0]?.at ?? 0;
  const last = rows[rows.length - 1]?.at ?? 0;
  const hour = 3_600_000;
  const step = [1, 3, 6, 12, 24, 48, 96, 168].find((hours) => (last - first) / (hours * hour) <= 8) ?? 720;
  const offset = (8 * hour) % (Math.min(step, 24) * hour);
  const marks: number[] = [];
  const day = Math.min(step, 24) * hour;
  for (let at = Math.ceil((first + offset) / day) * day - offset; at <= last; at += step * hour) marks.push(at);
  return marks;
}

/** The thresholds, from the legend. */
export function readLimits(chart: HTMLElement): readonly Limit[] {
  return Array.from(chart.querySelectorAll<HTMLElement>("li.threshold")).map((line) => ({
    value: Number(line.dataset["value"]),
    title: (line.textContent ?? "").trim(),
    colour: line.dataset["colour"] ?? "",
  }));
}

/** A value, or the end of the axis that it is beyond. */
export function kept(value: number, ends: Ends | null): number {
  return ends === null ? value : Math.min(Math.max(value, ends.least), ends.most);
}

/** Whether a row has a measured value and neither neighbour has: no line leads to it. */
export function stands(rows: readonly Row[], index: number): boolean {
  const seen = (place: number): boolean => typeof rows[place]?.seen === "number";
  return seen(index) && !seen(index - 1) && !seen(index + 1);
}

/** A number, or null where nothing is written. */
export function numberOf(text: string | undefined): number | null {
  return text === undefined || text === "" ? null : Number(text);
}
