/**
 * `<cb-keys><details>…<input type="checkbox" hidden></details></cb-keys>`: letters that move through a list without a mouse.
 *
 * j and k go to the next and the previous line, / to the search, ? unfolds the help. The box in the help turns them off for good on
 * this device (WCAG 2.1.4); they never take a letter that somebody types into a field.
 */
import { nextOf } from "../../shared/steps.ts";

const OFF = "cb-keys-off";

export class CbKeys extends HTMLElement {
  readonly #pressed = (event: KeyboardEvent): void => this.#press(event);

  connectedCallback(): void {
    const box = this.querySelector<HTMLInputElement>("input[type=checkbox]");
    this.hidden = false;
    if (box !== null) {
      box.checked = localStorage.getItem(OFF) === null;
      box.addEventListener("change", () => (box.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "yes")));
    }
    document.addEventListener("keydown", this.#pressed);
  }

  disconnectedCallback(): void {
    document.removeEventListener("keydown", this.#pressed);
  }

  #press(event: KeyboardEvent): void {
    const busy = event.ctrlKey || event.metaKey || event.altKey || localStorage.getItem(OFF) !== null;
    if (busy || (event.target instanceof Element && event.target.closest("input, textarea, select") !== null)) return;
    const act = { j: () => this.#step(1), k: () => this.#step(-1), "/": () => this.#search(), "?": () => this.#help() }[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  }

  #step(by: number): void {
    const lines = Array.from(document.querySelectorAll<HTMLElement>(".case-line .line-title a"));
    const here = lines.findIndex((line) => line === document.activeElement);
    lines[nextOf(here, by, lines.length)]?.focus();
  }

  #search(): void {
    document.querySelector<HTMLInputElement>("#q")?.focus();
  }

  #help(): void {
    const help = this.querySelector("details");
    if (help === null) return;
    help.open = !help.open;
    if (help.open) help.querySelector("summary")?.focus();
  }
}

customElements.define("cb-keys", CbKeys);
declare global {
  interface HTMLElementTagNameMap {
    "cb-keys": CbKeys;
  }
}
