/**
 * `<cb-map src="areas:base|/a.geojson cases:case|/c.geojson"><svg class="map-picture">…</svg>…</cb-map>`
 *
 * Draws the same layers as the picture that it wraps, on the district's own GeoJSON and nothing from outside. The picture stays
 * until the map has drawn, and stays for good where WebGL or a layer is missing. The list of places below is what a keyboard uses.
 * Emits `cb-place` with `{id, href}` when a place is chosen; a link is followed unless the event is cancelled.
 */
import * as maplibre from "maplibre-gl";
import { colour, whenThemeTurns } from "../../shared/colours.ts";
import { type Box, boxAround, isLayer, type Layer } from "../../shared/geojson.ts";

const KINDS = ["areas", "sites", "points", "cases", "reports", "alerts"] as const;
type Kind = (typeof KINDS)[number];
/** The signs of what an area counts. */
const SIGNS: Partial<Record<Kind, string>> = { cases: "◆", reports: "■", alerts: "▲" };
interface Source {
  readonly kind: Kind;
  readonly group: string;
  readonly id: string;
  readonly address: string;
}

const FONT = ["Source Han Sans SC", "Noto Sans SC", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "sans-serif"];
const OPENING = 24;
/** From so many steps of zoom over the whole district each case and alert is drawn; before that areas count them. */
const NEAR = 0.8;
const EMPTY: Layer = { type: "FeatureCollection", features: [] };

export class CbMap extends HTMLElement {
  #map: maplibre.Map | null = null;
  #box: Box | null = null;
  #moved = false;
  #near = 24;
  #sources: readonly Source[] = [];
  readonly #layers = new Map<string, Layer>();
  readonly #hidden = new Set<string>();
  #stop: () => void = () => undefined;
  readonly #swapped = (event: Event): void => this.#stay(event);

  connectedCallback(): void {
    document.addEventListener("cb-swap", this.#swapped);
    this.#choices();
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
      this.#sources = sourcesOf(this.getAttribute("src") ?? "");
      const layers = await Promise.all(this.#sources.map((source) => fetchLayer(source.address)));
      this.#sources.forEach((source, index) => this.#layers.set(source.id, layers[index] ?? EMPTY));
      this.#box = boxAround(layers.filter((_, index) => this.#sources[index]?.group === "base")) ?? boxAround(layers);
      if (!this.isConnected || this.#box === null) return;
      this.prepend(canvas);
      this.#draw(canvas);
    } catch (error) {
      canvas.remove();
      this.#giveUp(error);
    }
  }

  /** The style of the layers that are not taken away. */
  #style(): maplibre.StyleSpecification {
    const shown = this.#sources.filter((source) => !this.#hidden.has(source.group));
    return styleOf(shown, this.#layers, document.documentElement.lang === "en", this.#near);
  }

  /** The boxes of the legend take layers away and bring them back; what was chosen on this device is remembered. */
  #choices(): void {
    for (const box of Array.from(this.querySelectorAll<HTMLInputElement>(".layer input"))) {
      const group = box.closest<HTMLElement>(".layer")?.dataset["layer"] ?? "";
      const key = `cb-map:${group}`;
      box.hidden = false;
      box.checked = localStorage.getItem(key) !== "hidden";
      this.#turn(group, box.checked);
      box.addEventListener("change", () => {
        localStorage.setItem(key, box.checked ? "shown" : "hidden");
        this.#turn(group, box.checked);
        this.#map?.setStyle(this.#style());
      });
    }
  }

  #turn(group: string, shown: boolean): void {
    if (shown) this.#hidden.delete(group);
    else this.#hidden.add(group);
    for (const part of Array.from(this.querySelectorAll<SVGElement>(".map-picture [data-layer]")))
      if (part.dataset["layer"] === group) part.style.display = shown ? "" : "none";
  }

  #draw(canvas: HTMLElement): void {
    const map = new maplibre.Map({
      container: canvas,
      style: this.#style(),
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
    this.#range(map);
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
      this.#range(map);
      if (!this.#moved) this.#home(map);
    });
    this.#tools(canvas, map);
    this.#clicks(map);
    this.#stop = whenThemeTurns(() => map.setStyle(this.#style()));
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

  /** Sets from which zoom each thing is drawn, as the district fits into this box of the screen. */
  #range(map: maplibre.Map): void {
    const fit = this.#box === null ? undefined : map.cameraForBounds([...this.#box], { padding: OPENING });
    const near = Math.round(((fit?.zoom ?? 24) + NEAR) * 10) / 10;
    if (near === this.#near) return;
    this.#near = near;
    map.setStyle(this.#style());
  }

  #zoom(map: maplibre.Map, by: number): void {
    this.#moved = true;
    map.zoomTo(map.getZoom() + by, { duration: 200 });
  }

  #clicks(map: maplibre.Map): void {
    const at = (point: maplibre.Point): maplibre.MapGeoJSONFeature | undefined => {
      const layers = this.#sources.map(targetOf).filter((id) => map.getLayer(id) !== undefined);
      return map.queryRenderedFeatures(point, { layers })[0];
    };
    map.on("mousemove", (event) => {
      map.getCanvas().style.cursor = at(event.point)?.properties["href"] ? "pointer" : "";
    });
    map.on("click", (event) => {
      const found = at(event.point);
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
    this.#choices();
    void this.#reload();
  }

  async #reload(): Promise<void> {
    for (const source of this.#sources) {
      try {
        const layer = await fetchLayer(source.address);
        this.#layers.set(source.id, layer);
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
      const [name, ...rest] = part.split("|");
      const [look, group] = (name ?? "").split(":");
      const kind = KINDS.find((known) => known === look) ?? "areas";
      return { kind, group: group ?? "base", id: `layer-${index}`, address: rest.join("|") };
    });
}

/** The drawn layer that is pointed at. */
function targetOf(source: Source): string {
  return `${source.id}-${{ areas: "fill", sites: "dot", points: "dot", cases: "mark", reports: "mark", alerts: "mark" }[source.kind]}`;
}

async function fetchLayer(address: string): Promise<Layer> {
  const answer = await fetch(address, { credentials: "same-origin", headers: { Accept: "application/geo+json, application/json" } });
  const body: unknown = answer.ok ? await answer.json() : null;
  if (!isLayer(body)) throw new Error(`${address}: ${answer.status}`);
  return body;
}

function styleOf(
  sources: readonly Source[],
  layers: ReadonlyMap<string, Layer>,
  english: boolean,
  near: number,
): maplibre.StyleSpecification {
  const style: maplibre.StyleSpecification = {
    version: 8,
    sources: {},
    layers: [{ id: "ground", type: "background", paint: { "background-color": colour("map-ground") } }],
  };
  for (const source of sources) {
    style.sources[source.id] = { type: "geojson", data: layers.get(source.id) ?? EMPTY };
    style.layers.push(...LOOKS[source.kind](source.id).flatMap((drawn) => fromNear(source.kind, drawn, near)));
  }
  for (const source of sources) if (source.kind === "areas") style.layers.push(wordLayer(source.id, english, sources, near));
  return style;
}

const FILL: maplibre.ExpressionSpecification = [
  "case",
  ["!=", ["coalesce", ["get", "colour"], ""], ""],
  ["get", "colour"],
  "rgba(0,0,0,0)",
];

/** What an area counts is drawn one by one only from near; what no area counts is drawn always. */
function fromNear(kind: Kind, drawn: maplibre.LayerSpecification, near: number): maplibre.LayerSpecification[] {
  if (drawn.type === "background" || !(kind in SIGNS)) return [drawn];
  const alone: maplibre.ExpressionSpecification = ["==", ["coalesce", ["get", "area"], ""], ""];
  const filter = drawn.filter === undefined ? alone : (["all", drawn.filter, alone] as maplibre.ExpressionSpecification);
  return [
    { ...drawn, minzoom: near },
    { ...drawn, id: `${drawn.id}-alone`, maxzoom: near, filter } as maplibre.LayerSpecification,
  ];
}

/** Where a label may stand, the best first: in the middle of its area, then ever further up or down, so that none is left out. */
const ROOM: maplibre.VariableAnchorOffsetCollectionSpecification = [
  "center",
  [0, 0],
  ...[0, 1, 2, 3].flatMap((step): ("top" | "bottom" | [number, number])[] => ["top", [0, step], "bottom", [0, -step]]),
];

/** One label an area: its name, its value or why there is none, and while things are not drawn one by one, how many of each layer stand there. */
function wordLayer(id: string, english: boolean, sources: readonly Source[], near: number): maplibre.LayerSpecification {
  const title: maplibre.ExpressionSpecification = english ? ["coalesce", ["get", "title_en"], ["get", "title"]] : ["get", "title"];
  const value = ["to-string", ["coalesce", ["get", "value"], ""]];
  const plain = ["concat", title, "\n", ["case", ["==", value, ""], ["coalesce", ["get", "level"], ""], value]];
  const counted = sources.filter((source) => source.kind in SIGNS).flatMap(countOf);
  const full = ["format", plain, {}, "\n", {}, ...counted];
  return {
    id: `${id}-word`,
    type: "symbol",
    source: id,
    layout: {
      "text-field": ["step", ["zoom"], full, near, ["format", plain, {}]] as unknown as maplibre.ExpressionSpecification,
      "text-font": FONT,
      "text-size": (english ? 0.75 : 0.8125) * rem(),
      "text-max-width": 6,
      "text-padding": 0,
      "text-line-height": 1.15,
      "text-allow-overlap": false,
      "text-variable-anchor-offset": ROOM,
    },
    paint: { "text-color": colour("map-ink"), "text-halo-color": colour("map-halo"), "text-halo-width": 1.6 },
  };
}

/** The part of a label that says how many things of a layer stand in an area, its sign in the colour of the most urgent. */
function countOf(source: Source): unknown[] {
  const sign = SIGNS[source.kind];
  const count = ["coalesce", ["get", `${source.group}_count`], 0];
  const paint = source.kind === "alerts" ? gradeOf(`${source.group}_grade`) : ["to-color", ["get", `${source.group}_colour`], colour("map-ink")];
  const lifted = ["interpolate", ["linear"], Number(colour("map-lift")), 0, paint, 1, "#fff"];
  const some = [">", count, 0];
  return [["case", some, sign, ""], { "text-color": lifted }, ["case", some, ["concat", ["to-string", count], " "], ""], {}];
}

/** The colour of a grade of alert, 1 to 4, in a property. */
function gradeOf(property: string): maplibre.ExpressionSpecification {
  const steps = [1, 2, 3, 4].flatMap((grade) => [grade, colour(`grade-${grade}`)]);
  return ["match", ["coalesce", ["get", property], 0], ...steps, colour("map-line")] as unknown as maplibre.ExpressionSpecification;
}

function areaLayers(id: string): maplibre.LayerSpecification[] {
  return [
    { id: `${id}-land`, type: "fill", source: id, paint: { "fill-color": colour("map-land") } },
    { id: `${id}-fill`, type: "fill", source: id, paint: { "fill-color": FILL, "fill-opacity": 0.42 } },
    { id: `${id}-line`, type: "line", source: id, paint: { "line-color": colour("map-line"), "line-width": 1 } },
  ];
}

const DOT: maplibre.ExpressionSpecification = [
  "case",
  ["!=", ["coalesce", ["get", "colour"], ""], ""],
  ["get", "colour"],
  "rgba(128,128,128,1)",
];

/** Small marks that only say where something stands: the area around them carries its colour and value. */
function siteLayers(id: string): maplibre.LayerSpecification[] {
  const paint = { "circle-radius": 0.12 * rem(), "circle-color": colour("map-ink"), "circle-opacity": 0.6 };
  return [{ id: `${id}-dot`, type: "circle", source: id, paint }];
}

function pointLayers(id: string): maplibre.LayerSpecification[] {
  const radius: maplibre.ExpressionSpecification = ["interpolate", ["linear"], ["zoom"], 13, 0.2 * rem(), 15, 0.4 * rem()];
  const paint = { "circle-radius": radius, "circle-color": DOT, "circle-stroke-color": colour("map-halo"), "circle-stroke-width": 1 };
  return [{ id: `${id}-dot`, type: "circle", source: id, paint }];
}

/** Cases are diamonds and reports squares, so that they are told from stations and lots without their colour; several at one place carry their number. */
function caseLayers(id: string, sign = "◆"): maplibre.LayerSpecification[] {
  const always = { "text-font": FONT, "text-allow-overlap": true, "text-ignore-placement": true };
  const halo = { "text-halo-color": colour("map-halo"), "text-halo-width": 1.6 };
  return [
    {
      id: `${id}-mark`,
      type: "symbol",
      source: id,
      layout: { ...always, "text-field": sign, "text-size": 1.25 * rem() },
      paint: { "text-color": DOT, "text-halo-color": "#fff", "text-halo-width": 1.6 },
    },
    {
      id: `${id}-count`,
      type: "symbol",
      source: id,
      filter: [">", ["coalesce", ["get", "count"], 1], 1],
      layout: { ...always, "text-field": ["to-string", ["get", "count"]], "text-size": 0.75 * rem(), "text-offset": [0.95, -0.75] },
      paint: { ...halo, "text-color": colour("map-ink") },
    },
  ];
}

/** Alerts are triangles above what they are about, which they do not cover. */
function alertLayers(id: string): maplibre.LayerSpecification[] {
  return [
    {
      id: `${id}-mark`,
      type: "symbol",
      source: id,
      layout: {
        "text-font": FONT,
        "text-field": "▲",
        "text-size": 1.125 * rem(),
        "text-offset": [0, -0.9],
        "text-allow-overlap": true,
        "text-ignore-placement": true,
      },
      paint: { "text-color": gradeOf("grade"), "text-halo-color": colour("map-halo"), "text-halo-width": 1.6 },
    },
  ];
}

const LOOKS: Readonly<Record<Kind, (id: string) => maplibre.LayerSpecification[]>> = {
  areas: areaLayers,
  sites: siteLayers,
  points: pointLayers,
  cases: caseLayers,
  reports: (id) => caseLayers(id, "■"),
  alerts: alertLayers,
};

maplibre.setWorkerCount(1);
customElements.define("cb-map", CbMap);
declare global {
  interface HTMLElementTagNameMap {
    "cb-map": CbMap;
  }
}
