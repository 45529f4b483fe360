/** `<cb-clock><time datetime>…</time></cb-clock>`: the city time, running. */
import { cityNow } from "../../shared/age.ts";

const chinese = document.documentElement.lang.startsWith("zh");
const parts = new Intl.DateTimeFormat("en-GB", {
  timeZone: "Asia/Shanghai",
  year: "numeric",
  month: chinese ? "numeric" : "short",
  day: "numeric",
  weekday: "short",
  hour: "2-digit",
  minute: "2-digit",
  hour12: false,
});
const WEEKDAYS: Readonly<Record<string, string>> = { Mon: "一", Tue: "二", Wed: "三", Thu: "四", Fri: "五", Sat: "六", Sun: "日" };

/** The time in the page's own form: 2026年11月22日 星期日 15:30; Sun 22 Nov 2026, 15:30. */
export function whole(now: number, zh: boolean, format: Intl.DateTimeFormat): string {
  const said = new Map(format.formatToParts(now).map((part) => [part.type, part.value]));
  const get = (type: Intl.DateTimeFormatPartTypes): string => said.get(type) ?? "";
  const clock = `${get("hour").replace("24", "00")}:${get("minute")}`;
  if (zh) {
    return `${get("year")}年${get("month")}月${get("day")}日 星期${WEEKDAYS[get("weekday")] ?? ""} ${clock}`;
  }
  return `${get("weekday")} ${get("day")} ${get("month")} ${get("year")}, ${clock}`;
}

export class CbClock extends HTMLElement {
  #timer = 0;

  connectedCallback(): void {
    this.#timer = window.setInterval(() => this.#say(), 1000);
  }

  disconnectedCallback(): void {
    window.clearInterval(this.#timer);
  }

  #say(): void {
    const time = this.querySelector("time");
    const text = whole(cityNow(), chinese, parts);
    if (time !== null && time.textContent !== text) time.textContent = text;
  }
}

customElements.define("cb-clock", CbClock);
declare global {
  interface HTMLElementTagNameMap {
    "cb-clock": CbClock;
  }
}
