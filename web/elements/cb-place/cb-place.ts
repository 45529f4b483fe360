/**
 * `<cb-place><input name=lon><input name=lat><svg class="pick" data-degrees>…</svg><select name=where>…</select></cb-place>`
 *
 * A click on the plan sets the point; on the schematic, which has no coordinates, it leads to the communities of that subdistrict.
 * The button takes the device's own position, only when asked. Without any of it the select alone says where.
 */
import { type Degrees, placeAt, readDegrees } from "./plan.ts";

export class CbPlace extends HTMLElement {
  #note: HTMLElement = document.createElement("span");
  #ready = false;

  connectedCallback(): void {
    if (this.#ready) return;
    this.#ready = true;
    this.dataset["ready"] = "true";
    this.#note.className = "muted";
    this.#note.setAttribute("role", "status");
    const picture = this.querySelector<SVGSVGElement>("svg.pick");
    picture?.addEventListener("click", (event) => this.#click(picture, event));
    this.#select()?.addEventListener("change", () => this.#forget());
    this.#offerHere();
  }

  #click(picture: SVGSVGElement, event: MouseEvent): void {
    const degrees = readDegrees(picture.dataset["degrees"] ?? "");
    const chosen = event.target instanceof Element ? event.target.closest<SVGPathElement>("path[data-code]") : null;
    if (chosen === null) return;
    for (const path of Array.from(picture.querySelectorAll("path[data-code]"))) path.removeAttribute("data-chosen");
    chosen.dataset["chosen"] = "true";
    if (degrees === null) this.#narrow(chosen.dataset["code"] ?? "");
    else this.#mark(picture, event, degrees);
  }

  #mark(picture: SVGSVGElement, event: MouseEvent, degrees: Degrees): void {
    const frame = picture.getScreenCTM()?.inverse();
    if (frame === undefined) return;
    const spot = new DOMPoint(event.clientX, event.clientY).matrixTransform(frame);
    const place = placeAt(degrees, spot.x, spot.y);
    const mark = picture.querySelector(".pick-mark");
    mark?.setAttribute("transform", `translate(${spot.x} ${spot.y})`);
    mark?.setAttribute("visibility", "visible");
    this.#set(place.lon, place.lat);
    this.#note.textContent = this.dataset["pointOk"] ?? "";
  }

  #narrow(code: string): void {
    const select = this.#select();
    const first = select?.querySelector<HTMLOptionElement>(`option[value^="area:${code}"]`);
    if (select === null || select === undefined || first === null || first === undefined) return;
    for (const group of Array.from(select.querySelectorAll("optgroup"))) {
      group.hidden = group.querySelector(`option[value^="area:${code}"]`) === null;
    }
    select.value = `area:${code}`;
    this.#forget();
    select.focus();
  }

  #offerHere(): void {
    if (!("geolocation" in navigator)) return;
    const row = document.createElement("p");
    row.className = "pick-here";
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = this.dataset["here"] ?? "";
    button.addEventListener("click", () => {
      navigator.geolocation.getCurrentPosition(
        ({ coords }) => {
          this.#set(coords.longitude, coords.latitude);
          this.#note.textContent = this.dataset["hereOk"] ?? "";
        },
        () => {
          this.#note.textContent = this.dataset["hereFailed"] ?? "";
        },
        { enableHighAccuracy: true, timeout: 10_000 },
      );
    });
    row.append(button, this.#note);
    this.querySelector("label")?.before(row);
  }

  #forget(): void {
    this.#set(null, null);
    this.#note.textContent = "";
    this.querySelector(".pick-mark")?.setAttribute("visibility", "hidden");
  }

  #set(lon: number | null, lat: number | null): void {
    for (const [name, value] of [
      ["lon", lon],
      ["lat", lat],
    ] as const) {
      const field = this.querySelector<HTMLInputElement>(`input[name=${name}]`);
      if (field !== null) field.value = value === null ? "" : value.toFixed(6);
    }
  }

  #select(): HTMLSelectElement | null {
    return this.querySelector<HTMLSelectElement>("select[name=where]");
  }
}

customElements.define("cb-place", CbPlace);
declare global {
  interface HTMLElementTagNameMap {
    "cb-place": CbPlace;
  }
}
