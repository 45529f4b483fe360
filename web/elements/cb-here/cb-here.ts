/**
 * `<cb-here data-asking data-refused data-failed><form><p class=here hidden><button type=button>…</button><span role=status></span></p>
 * <input name=lon><input name=lat></form></cb-here>`
 *
 * The button puts the device's own position into the form's degrees and sends the form; it is asked for when pressed and never before,
 * and goes nowhere but into that one question. Without script, or on a device that knows no position, the other fields stand alone.
 */
import { degrees } from "./degrees.ts";

export class CbHere extends HTMLElement {
  connectedCallback(): void {
    const line = this.querySelector<HTMLElement>(".here");
    if (line === null || !("geolocation" in navigator)) return;
    line.hidden = false;
    line.querySelector("button")?.addEventListener("click", () => this.#ask());
  }

  #ask(): void {
    this.#say(this.dataset["asking"] ?? "");
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => this.#send(coords),
      ({ code, PERMISSION_DENIED }) =>
        this.#say((code === PERMISSION_DENIED ? this.dataset["refused"] : this.dataset["failed"]) ?? ""),
      { enableHighAccuracy: true, timeout: 10_000, maximumAge: 60_000 },
    );
  }

  #send(coords: GeolocationCoordinates): void {
    const form = this.querySelector("form");
    for (const [name, value] of [
      ["lon", coords.longitude],
      ["lat", coords.latitude],
    ] as const) {
      const field = form?.querySelector<HTMLInputElement>(`input[name=${name}]`);
      if (field !== null && field !== undefined) field.value = degrees(value);
    }
    form?.requestSubmit();
  }

  #say(words: string): void {
    const status = this.querySelector<HTMLElement>(".here [role=status]");
    if (status !== null) status.textContent = words;
  }
}

customElements.define("cb-here", CbHere);
declare global {
  interface HTMLElementTagNameMap {
    "cb-here": CbHere;
  }
}
