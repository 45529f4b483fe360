/**
 * `<cb-chart …><svg class="chart-picture">…</svg><table>…</table></cb-chart>`: makes the drawn chart one that can be pointed at.
 *
 * Its data are the table's own rows: time, measured, forecast, low, high. The picture stays where the canvas fails; the table always.
 */
import { LineChart } from "echarts/charts";
import { GridComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { colour, whenThemeTurns } from "../../shared/colours.ts";
import { closeTogether, type Ends, hourMarks, kept, numberOf, type Row, readLimits, readRows, stands } from "./rows.ts";

echarts.use([LineChart, GridComponent, MarkLineComponent, TooltipComponent, CanvasRenderer]);

export class CbChart extends HTMLElement {
  #chart: echarts.ECharts | null = null;
  #stop: () => void = () => undefined;
  #watch: ResizeObserver | null = null;

  connectedCallback(): void {
    if (this.#chart === null) this.#begin();
  }

  disconnectedCallback(): void {
    this.#stop();
    this.#watch?.disconnect();
    this.#chart?.dispose();
    this.#chart = null;
    this.querySelector(":scope > .chart-canvas")?.remove();
    delete this.dataset["drawn"];
  }

  #begin(): void {
    const table = this.querySelector("table");
    const picture = this.querySelector(".chart-picture");
    if (table === null || picture === null) return;
    const rows = readRows(table);
    const canvas = document.createElement("div");
    canvas.className = "chart-canvas";
    canvas.setAttribute("aria-hidden", "true");
    picture.before(canvas);
    this.dataset["drawn"] = "true";
    this.#chart = echarts.init(canvas);
    const draw = (): void => {
      this.#chart?.setOption(this.#option(rows), true);
    };
    draw();
    this.#stop = whenThemeTurns(draw);
    if (typeof ResizeObserver !== "undefined") {
      this.#watch = new ResizeObserver(() => this.#chart?.resize());
      this.#watch.observe(canvas);
    }
  }

  #option(rows: readonly Row[]): echarts.EChartsCoreOption {
    const base = Number.parseFloat(getComputedStyle(this).fontSize);
    const size = base * 0.8;
    const text = { color: colour("muted"), fontSize: size, fontFamily: getComputedStyle(this).fontFamily };
    const long = (rows[rows.length - 1]?.at ?? 0) - (rows[0]?.at ?? 0) > 4 * 86_400_000;
    const marks = hourMarks(rows);
    const ends = this.#ends();
    const band = rows.filter((row) => row.low !== null && row.high !== null);
    const line = {
      type: "line",
      symbol: "none",
      connectNulls: false,
      lineStyle: { width: base / 8, color: colour("line-seen") },
      silent: true,
    };
    return {
      animation: false,
      textStyle: text,
      grid: { left: 4, right: 10, top: 12, bottom: 4, containLabel: true },
      tooltip: { trigger: "axis", formatter: (found: unknown) => this.#tip(found, rows), borderWidth: 1, padding: 0, confine: true },
      xAxis: {
        type: "time",
        axisTick: { customValues: marks },
        axisLabel: { ...text, customValues: marks, hideOverlap: true, formatter: (at: number) => clock(at, long) },
        axisLine: { lineStyle: { color: colour("rule") } },
        splitLine: { show: false },
      },
      yAxis: {
        type: "value",
        axisLabel: text,
        splitLine: { lineStyle: { color: colour("rule") } },
        splitNumber: 4,
        scale: closeTogether(rows),
        ...(ends === null ? {} : { min: ends.least, max: ends.most }),
      },
      series: [
        { ...line, id: "low", stack: "band", lineStyle: { opacity: 0 }, data: band.map((row) => [row.at, row.low]) },
        {
          ...line,
          id: "band",
          stack: "band",
          lineStyle: { opacity: 0 },
          areaStyle: { color: colour("line-band"), opacity: 1 },
          data: band.map((row) => [row.at, (row.high ?? 0) - (row.low ?? 0)]),
        },
        {
          ...line,
          id: "seen",
          symbolSize: base * 0.6,
          data: rows.map((_, index) => this.#seen(rows, index, ends, base)),
          markLine: this.#marks(rows, text),
        },
        {
          ...line,
          id: "ahead",
          data: rows.map((row) => [row.at, row.ahead]),
          lineStyle: { width: base / 8, type: [base / 3, base / 4], color: colour("line-ahead") },
        },
      ],
    };
  }

  /** Where the axis ends, said where the server found readings far beyond it. */
  #ends(): Ends | null {
    const least = numberOf(this.dataset["least"]);
    const most = numberOf(this.dataset["most"]);
    return least === null || most === null ? null : { least, most };
  }

  /** A reading where it stands: one alone is a dot, one beyond the axis a mark at its edge. */
  #seen(rows: readonly Row[], index: number, ends: Ends | null, base: number): object | [number, number | null] {
    const row = rows[index];
    if (row === undefined || row.seen === null) return [row?.at ?? Number.NaN, null];
    const place: [number, number] = [row.at, kept(row.seen, ends)];
    if (place[1] !== row.seen) {
      const down = row.seen < place[1];
      return { value: place, symbol: "triangle", symbolRotate: down ? 180 : 0, itemStyle: { color: colour("warn") } };
    }
    return stands(rows, index) ? { value: place, symbol: "circle", symbolSize: base / 4, itemStyle: { color: colour("line-seen") } } : place;
  }

  #marks(rows: readonly Row[], text: object): object {
    const top = rows.reduce((found, row) => Math.max(found, kept(row.seen ?? 0, this.#ends()), row.high ?? 0), 0);
    const limits = readLimits(this).filter((limit) => limit.value <= top * 1.3);
    const seen = rows.filter((row) => row.seen !== null);
    const now = rows.some((row) => row.ahead !== null) ? seen[seen.length - 1]?.at : undefined;
    const words = { ...text, backgroundColor: colour("card"), padding: [1, 3] };
    const marks: object[] = limits.map((limit) => ({
      yAxis: limit.value,
      lineStyle: { color: limit.colour || colour("warn"), type: "dashed" },
      label: { ...words, formatter: limit.title, position: "insideEndTop" },
    }));
    if (now !== undefined) {
      marks.push({
        xAxis: now,
        lineStyle: { color: colour("muted"), type: "solid" },
        label: { ...text, formatter: this.dataset["now"] ?? "", position: "insideEndTop", rotate: 0 },
      });
    }
    return { silent: true, symbol: "none", data: marks };
  }

  /** The tooltip is an element, not HTML text, so that the page's content policy holds. */
  #tip(found: unknown, rows: readonly Row[]): HTMLElement {
    const box = document.createElement("div");
    box.className = "chart-tip";
    const index = pointedAt(found);
    const row = rows.find((candidate) => candidate.at === index);
    if (row === undefined) return box;
    const digits = Number(this.dataset["decimals"] ?? "0");
    const unit = this.dataset["unit"] ?? "";
    const say = (value: number): string => `${value.toFixed(digits)} ${unit}`.trim();
    add(box, "strong", row.word);
    const parts: readonly (readonly [string | undefined, string | null])[] = [
      [this.dataset["seen"], row.seen === null ? null : say(row.seen)],
      [this.dataset["ahead"], row.ahead === null ? null : say(row.ahead)],
      [this.dataset["band"], row.low === null || row.high === null ? null : `${say(row.low)} – ${say(row.high)}`],
    ];
    for (const [title, value] of parts) if (value !== null) add(box, "span", `${title ?? ""} ${value}`);
    if (this.dataset["demo"]) add(box, "span", this.dataset["demo"], "demo-mark");
    return box;
  }
}

/** The time that the tooltip stands at. */
function pointedAt(found: unknown): number {
  const first: unknown = Array.isArray(found) ? found[0] : undefined;
  return typeof first === "object" && first !== null && "axisValue" in first ? Number(first.axisValue) : Number.NaN;
}

function add(box: HTMLElement, tag: string, words: string, name = ""): void {
  const part = document.createElement(tag);
  part.textContent = words;
  if (name !== "") part.className = name;
  box.append(part);
}

function clock(at: number, long: boolean): string {
  const said = new Date(at).toLocaleString("en-GB", {
    timeZone: "Asia/Shanghai",
    month: "numeric",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
  });
  const [date, time] = said.split(", ");
  if (time !== "00:00" && !long) return time ?? "";
  const [day, month] = (date ?? "").split("/").map(Number);
  return document.documentElement.lang === "en" ? `${day}/${month}` : `${month}/${day}`;
}

customElements.define("cb-chart", CbChart);
declare global {
  interface HTMLElementTagNameMap {
    "cb-chart": CbChart;
  }
}
