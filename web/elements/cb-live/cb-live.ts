/**
 * `<cb-live src data-on data-lost data-back>`: swaps fragments that the server sends; never blanks a block.
 * Events: `fragment` with JSON `{id, html}`; other named events are heard by nobody and do no harm.
 * Emits `cb-live` with `{state: "on" | "lost"}`; before a swap `cb-swap` on the old element, with the new one as detail, which an element
 * inside may cancel to take what is new by itself; after it `cb-swapped` on the new element.
 */
import { cityNow } from "../../shared/age.ts";
import { backoff } from "../../shared/backoff.ts";

interface Fragment {
  readonly id: string;
  readonly html: string;
}
const QUIET = 90_000;

export class CbLive extends HTMLElement {
  #source: EventSource | null = null;
  #attempt = 0;
  #lost: number | null = null;
  #retry = 0;
  #watch = 0;
  #heard = 0;
  readonly #waiting = new Map<string, Fragment>();
  readonly #dot = document.createElement("span");
  readonly #status = document.createElement("span");

  connectedCallback(): void {
    this.#dot.className = "live-dot";
    this.#status.setAttribute("role", "status");
    this.append(this.#dot, this.#status);
    this.#connect();
    this.#watch = window.setInterval(() => this.#checkQuiet(), 15_000);
  }

  disconnectedCallback(): void {
    window.clearTimeout(this.#retry);
    window.clearInterval(this.#watch);
    this.#source?.close();
    this.textContent = "";
  }

  #connect(): void {
    this.#source?.close();
    this.#heard = performance.now();
    const source = new EventSource(this.getAttribute("src") ?? "");
    this.#source = source;
    source.addEventListener("open", () => this.#found());
    source.addEventListener("error", () => this.#lose());
    source.addEventListener("fragment", (event) => this.#swap(event));
    source.addEventListener("beat", () => this.#hear());
    source.addEventListener("build", (event) => this.#renew(event));
    source.addEventListener("ended", () => this.#end());
    source.addEventListener("message", () => this.#hear());
  }

  #hear(): void {
    this.#heard = performance.now();
  }

  #found(): void {
    this.#attempt = 0;
    this.#hear();
    this.#status.textContent = (this.#lost === null ? this.dataset["on"] : this.dataset["back"]) ?? "";
    this.#lost = null;
    this.#show("on");
  }

  /** EventSource gives up on some errors and retries in lockstep on others; this closes it and comes back by itself. */
  #lose(): void {
    this.#source?.close();
    this.#source = null;
    if (this.#lost === null) {
      this.#lost = cityNow();
      const time = new Date(this.#lost).toLocaleTimeString("en-GB", { timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit" });
      this.#status.textContent = (this.dataset["lost"] ?? "").replace("{time}", time);
      this.#show("lost");
    }
    window.clearTimeout(this.#retry);
    this.#retry = window.setTimeout(() => this.#connect(), backoff(this.#attempt, Math.random()));
    this.#attempt += 1;
  }

  /** A screen that nobody works on, such as a wall, takes a newer front end by loading itself anew. */
  #renew(event: MessageEvent<string>): void {
    this.#hear();
    const fresh = buildOf(event.data);
    const same = fresh === "" || fresh === document.documentElement.dataset["build"];
    if (!same && this.hasAttribute("data-renew")) location.reload();
  }

  /** The session is over: what stands stays, marked as of before, and nothing is asked for any more. */
  #end(): void {
    this.#source?.close();
    this.#source = null;
    this.#status.textContent = this.dataset["ended"] ?? "";
    this.#show("lost");
  }

  /** A connection that a proxy holds open but that brings nothing, not even the server's beat, is a lost one. */
  #checkQuiet(): void {
    if (this.#source !== null && performance.now() - this.#heard > QUIET) this.#lose();
  }

  #show(state: "on" | "lost"): void {
    this.dataset["state"] = state;
    this.dispatchEvent(new CustomEvent("cb-live", { bubbles: true, detail: { state } }));
  }

  #swap(event: MessageEvent<string>): void {
    this.#hear();
    const fragment = parse(event.data);
    if (fragment !== null) this.#put(fragment);
  }

  /** A block that somebody is in with the keyboard waits until they have left it. */
  #put(fragment: Fragment): void {
    const old = document.getElementById(fragment.id);
    const fresh = elementOf(fragment.html);
    if (old === null || fresh === null || fresh.id !== fragment.id) return;
    if (old.contains(document.activeElement)) {
      if (!this.#waiting.has(fragment.id)) old.addEventListener("focusout", () => this.#later(fragment.id), { once: true });
      this.#waiting.set(fragment.id, fragment);
      return;
    }
    if (!old.dispatchEvent(new CustomEvent("cb-swap", { bubbles: true, cancelable: true, detail: fresh }))) return;
    keepOpen(old, fresh);
    old.replaceWith(fresh);
    fresh.dispatchEvent(new CustomEvent("cb-swapped", { bubbles: true }));
  }

  #later(id: string): void {
    const fragment = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (fragment !== undefined) window.setTimeout(() => this.#put(fragment), 0);
  }
}

function buildOf(text: string): string {
  const found: unknown = JSON.parse(text);
  return typeof found === "object" && found !== null && "build" in found ? String(found.build) : "";
}

function elementOf(html: string): Element | null {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.firstElementChild;
}

/** What a reader has unfolded stays unfolded. */
function keepOpen(old: Element, fresh: Element): void {
  for (const folded of Array.from(old.querySelectorAll("details[open]"))) {
    if (folded.className !== "") fresh.querySelector(`details.${folded.className}`)?.setAttribute("open", "");
  }
}

function parse(text: string): Fragment | null {
  try {
    const found: unknown = JSON.parse(text);
    if (typeof found !== "object" || found === null || !("id" in found) || !("html" in found)) return null;
    return typeof found.id === "string" && typeof found.html === "string" ? { id: found.id, html: found.html } : null;
  } catch {
    return null;
  }
}

customElements.define("cb-live", CbLive);
declare global {
  interface HTMLElementTagNameMap {
    "cb-live": CbLive;
  }
}
