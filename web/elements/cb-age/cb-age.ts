/** `<cb-age><time datetime>…</time></cb-age>`: keeps an age true, in city time, every ten seconds. */
import { age, cityNow } from "../../shared/age.ts";

const words = (document.documentElement.dataset["ages"] ?? "").split("|");

export class CbAge extends HTMLElement {
  #timer = 0;

  connectedCallback(): void {
    this.#timer = window.setInterval(() => this.#say(), 10_000);
  }

  disconnectedCallback(): void {
    window.clearInterval(this.#timer);
  }

  #say(): void {
    const time = this.querySelector("time");
    if (time !== null) time.textContent = age(Date.parse(time.dateTime), cityNow(), words);
  }
}

customElements.define("cb-age", CbAge);
declare global {
  interface HTMLElementTagNameMap {
    "cb-age": CbAge;
  }
}
