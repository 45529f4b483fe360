/**
 * `<cb-map src="areas|/a.geojson points|/p.geojson"><svg class="map-picture">…</svg>…</cb-map>`
 *
 * Draws the same layers as the picture that it wraps, on the district's own GeoJSON and nothing from outside. The picture stays
 * until the map has drawn, and stays for good where WebGL or a layer is missing. The list of places below is what a keyboard uses.
 * Emits `cb-place` with `{id, href}` when a place is chosen; a link is followed unless the event is cancelled.
 */
import * as maplibre from "maplibre-gl";
import { colour, whenThemeTurns } from "../../shared/colours.ts";
import { type Box, boxAround, isLayer, type Layer } from "../../shared/geojson.ts";

type Kind = "areas" | "points";
interface Source {
  readonly kind: Kind;
  readonly id: string;
  readonly address: string;
}

const FONT = ["Source Han Sans SC", "Noto Sans SC", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "sans-serif"];
const OPENING = 24;

export class CbMap extends HTMLElement {
  #map: maplibre.Map | null = null;
  #box: Box | null = null;
  #moved = false;
  #stop: () => void = () => undefined;
  readonly #swapped = (event: Event): void => this.#stay(event);

  connectedCallback(): void {
    document.addEventListener("cb-swap", this.#swapped);
    if (this.#map === null) void this.#begin();
  }

  disconnectedCallback(): void {
    document.removeEventListener("cb-swap", this.#swapped);
    this.#stop();
    this.#map?.remove();
    this.#map = null;
    this.querySelector(":scope > .map-canvas")?.remove();
    delete this.dataset["drawn"];
  }

  async #begin(): Promise<void> {
    const canvas = document.createElement("div");
    canvas.className = "map-canvas";
    try {
      const sources = sourcesOf(this.getAttribute("src") ?? "");
      const layers = await Promise.all(sources.map((source) => fetchLayer(source.address)));
      this.#box = boxAround(layers);
      if (!this.isConnected || this.#box === null) return;
      this.prepend(canvas);
      this.#draw(canvas, sources, layers);
    } catch (error) {
      canvas.remove();
      this.#giveUp(error);
    }
  }

  #draw(canvas: HTMLElement, sources: readonly Source[], layers: readonly Layer[]): void {
    const english = document.documentElement.lang === "en";
    const map = new maplibre.Map({
      container: canvas,
      style: styleOf(sources, layers, english),
      bounds: this.#box === null ? [0, 0, 1, 1] : [...this.#box],
      fitBoundsOptions: { padding: OPENING },
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      cooperativeGestures: false,
      scrollZoom: false,
      fadeDuration: 0,
      maxZoom: 18,
    });
    this.#map = map;
    map.touchZoomRotate.disableRotation();
    map.getCanvas().setAttribute("aria-label", this.dataset["label"] ?? "");
    map.once("load", () => {
      this.dataset["drawn"] = "true";
      this.dispatchEvent(new CustomEvent("cb-drawn", { bubbles: true }));
    });
    map.on("error", (event) => console.warn("cb-map", event.error));
    map.on("movestart", (event) => {
      if (event.originalEvent !== undefined) this.#moved = true;
    });
    map.on("resize", () => {
      if (!this.#moved) this.#home(map);
    });
    this.#tools(canvas, map);
    this.#clicks(map, sources);
    this.#stop = whenThemeTurns(() => map.setStyle(styleOf(sources, layers, english)));
  }

  #tools(canvas: HTMLElement, map: maplibre.Map): void {
    const bar = document.createElement("div");
    bar.className = "map-tools";
    const tools: readonly (readonly [string, string, () => void])[] = [
      ["+", this.dataset["zoomIn"] ?? "", () => this.#zoom(map, 1)],
      ["−", this.dataset["zoomOut"] ?? "", () => this.#zoom(map, -1)],
      ["⌂", this.dataset["home"] ?? "", () => this.#home(map)],
    ];
    for (const [sign, label, act] of tools) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = sign;
      button.title = label;
      button.setAttribute("aria-label", label);
      button.addEventListener("click", act);
      bar.append(button);
    }
    canvas.append(bar);
  }

  #home(map: maplibre.Map): void {
    this.#moved = false;
    if (this.#box !== null) map.fitBounds([...this.#box], { padding: OPENING, animate: false });
  }

  #zoom(map: maplibre.Map, by: number): void {
    this.#moved = true;
    map.zoomTo(map.getZoom() + by, { duration: 200 });
  }

  #clicks(map: maplibre.Map, sources: readonly Source[]): void {
    const layers = sources.map((source) => (source.kind === "areas" ? `${source.id}-fill` : `${source.id}-dot`)).reverse();
    map.on("mousemove", (event) => {
      const found = map.queryRenderedFeatures(event.point, { layers })[0];
      map.getCanvas().style.cursor = found?.properties["href"] ? "pointer" : "";
    });
    map.on("click", (event) => {
      const found = map.queryRenderedFeatures(event.point, { layers })[0];
      if (found === undefined) return;
      const href = String(found.properties["href"] ?? "");
      const detail = { id: String(found.properties["id"] ?? ""), href };
      const goes = this.dispatchEvent(new CustomEvent("cb-place", { bubbles: true, cancelable: true, detail }));
      if (goes && href !== "") location.assign(href);
    });
  }

  /** A live swap of the block around a drawn map changes its picture and list and reloads its layers, not the map itself. */
  #stay(event: Event): void {
    const old = event.target;
    if (this.#map === null || !(old instanceof Element) || !old.contains(this) || !(event instanceof CustomEvent)) return;
    const detail: unknown = event.detail;
    if (!(detail instanceof Element)) return;
    event.preventDefault();
    for (const part of [".map-picture", ".map-foot"]) {
      const fresh = detail.querySelector(part);
      if (fresh !== null) this.querySelector(part)?.replaceWith(fresh);
    }
    void this.#reload();
  }

  async #reload(): Promise<void> {
    for (const source of sourcesOf(this.getAttribute("src") ?? "")) {
      try {
        const layer = await fetchLayer(source.address);
        const target = this.#map?.getSource<maplibre.GeoJSONSource>(source.id);
        target?.setData(layer);
      } catch (error) {
        this.#say(this.dataset["layerFailed"] ?? "");
        console.warn("cb-map", error);
      }
    }
  }

  #giveUp(error: unknown): void {
    console.warn("cb-map", error);
    this.#say(this.dataset["drawnNot"] ?? "");
  }

  #say(words: string): void {
    const old = this.querySelector(":scope > .map-note");
    const note = old ?? document.createElement("p");
    note.className = "map-note muted";
    note.textContent = words;
    if (old === null) this.append(note);
  }
}

/** The page's base size in px: what is drawn grows with it on a wall and in large type. */
function rem(): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
}

function sourcesOf(text: string): readonly Source[] {
  return text
    .split(/\s+/)
    .filter(Boolean)
    .map((part, index) => {
      const [kind, ...rest] = part.split("|");
      return { kind: kind === "points" ? "points" : "areas", id: `layer-${index}`, address: rest.join("|") };
    });
}

async function fetchLayer(address: string): Promise<Layer> {
  const answer = await fetch(address, { credentials: "same-origin", headers: { Accept: "application/geo+json, application/json" } });
  const body: unknown = answer.ok ? await answer.json() : null;
  if (!isLayer(body)) throw new Error(`${address}: ${answer.status}`);
  return body;
}

function styleOf(sources: readonly Source[], layers: readonly Layer[], english: boolean): maplibre.StyleSpecification {
  const style: maplibre.StyleSpecification = {
    version: 8,
    sources: {},
    layers: [{ id: "ground", type: "background", paint: { "background-color": colour("map-ground") } }],
  };
  sources.forEach((source, index) => {
    const layer = layers[index];
    if (layer === undefined) return;
    style.sources[source.id] = { type: "geojson", data: layer };
    style.layers.push(...(source.kind === "areas" ? areaLayers(source.id) : pointLayers(source.id)));
  });
  const things = sources.some((source) => source.kind === "points");
  for (const source of sources) if (source.kind === "areas") style.layers.push(wordLayer(source.id, english, things));
  return style;
}

const FILL: maplibre.ExpressionSpecification = [
  "case",
  ["!=", ["coalesce", ["get", "colour"], ""], ""],
  ["get", "colour"],
  "rgba(0,0,0,0)",
];

/** Where things stand in the areas, their words stand below the middle, so that a thing there is not covered. */
function wordLayer(id: string, english: boolean, things: boolean): maplibre.LayerSpecification {
  const title: maplibre.ExpressionSpecification = english ? ["coalesce", ["get", "title_en"], ["get", "title"]] : ["get", "title"];
  const words: maplibre.ExpressionSpecification = ["concat", title, "\n", ["to-string", ["coalesce", ["get", "value"], ""]]];
  const lowered = things ? { "text-anchor": "top" as const, "text-offset": [0, 0.5] as [number, number] } : {};
  return {
    id: `${id}-word`,
    type: "symbol",
    source: id,
    layout: {
      "text-field": words,
      "text-font": FONT,
      "text-size": 0.8125 * rem(),
      "text-max-width": 9,
      "text-allow-overlap": false,
      "text-variable-anchor": ["center", "top", "bottom"],
      ...lowered,
    },
    paint: { "text-color": colour("map-ink"), "text-halo-color": colour("map-halo"), "text-halo-width": 1.6 },
  };
}

function areaLayers(id: string): maplibre.LayerSpecification[] {
  return [
    { id: `${id}-land`, type: "fill", source: id, paint: { "fill-color": colour("map-land") } },
    { id: `${id}-fill`, type: "fill", source: id, paint: { "fill-color": FILL, "fill-opacity": 0.42 } },
    { id: `${id}-line`, type: "line", source: id, paint: { "line-color": colour("map-line"), "line-width": 1 } },
  ];
}

function pointLayers(id: string): maplibre.LayerSpecification[] {
  const graded: maplibre.ExpressionSpecification = [">", ["coalesce", ["get", "grade"], 0], 0];
  const ring: maplibre.ExpressionSpecification = [
    "match",
    ["coalesce", ["get", "grade"], 0],
    1,
    colour("grade-1"),
    2,
    colour("grade-2"),
    3,
    colour("grade-3"),
    4,
    colour("grade-4"),
    colour("map-line"),
  ];
  const dot: maplibre.ExpressionSpecification = [
    "case",
    ["!=", ["coalesce", ["get", "colour"], ""], ""],
    ["get", "colour"],
    colour("map-unknown"),
  ];
  return [
    {
      id: `${id}-ring`,
      type: "circle",
      source: id,
      filter: graded,
      paint: {
        "circle-radius": 0.8 * rem(),
        "circle-color": "rgba(0,0,0,0)",
        "circle-stroke-color": ring,
        "circle-stroke-width": 0.19 * rem(),
      },
    },
    {
      id: `${id}-dot`,
      type: "circle",
      source: id,
      paint: { "circle-radius": 0.44 * rem(), "circle-color": dot, "circle-stroke-color": colour("map-ink"), "circle-stroke-width": 1.5 },
    },
  ];
}

maplibre.setWorkerCount(1);
customElements.define("cb-map", CbMap);
declare global {
  interface HTMLElementTagNameMap {
    "cb-map": CbMap;
  }
}
