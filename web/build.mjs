// Builds the front end into src/citybrain/web/static/build/: hashed files, and manifest.json from plain names to them.
import { createHash } from "node:crypto";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import subset from "subset-font";

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.resolve(here, process.argv[2] ?? "../src/citybrain/web/static/build");
const floor = ["chrome78"];
const mapFolder = `maplibre-${(await json("maplibre-gl/package.json")).version}`;

/** MapLibre is loaded as its own modules: its worker must lie beside it. */
const mapBeside = {
  name: "map-beside",
  setup(builder) {
    builder.onResolve({ filter: /^maplibre-gl$/ }, () => ({ path: `./${mapFolder}/maplibre-gl.mjs`, external: true }));
  },
};

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
const manifest = {};
for (const [name, ranges] of Object.entries({
  "rare-a": [
    [0x3400, 0x4dbf],
    [0x9fa6, 0x9fff],
  ],
  "rare-b": [[0x20000, 0x323af]],
})) {
  manifest[`${name}.woff2`] = await hashed(name, "woff2", await rare(ranges));
}
manifest["icon.svg"] = await hashed("icon", "svg", await readFile(path.join(here, "icon.svg")));
const css = (await bundle({ entryPoints: [path.join(here, "main.css")], external: ["*.woff2"] })).replace(
  /rare-[ab]\.woff2/g,
  (name) => manifest[name],
);
manifest["main.css"] = await hashed("main", "css", css);
manifest["dark.css"] = await hashed("dark", "css", await bundle({ entryPoints: [path.join(here, "dark.css")] }));
manifest["main.js"] = await script();
await maplibre();
await licences();
await writeFile(path.join(out, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);

async function script() {
  const result = await build({
    entryPoints: [path.join(here, "main.ts")],
    outdir: out,
    bundle: true,
    minify: true,
    splitting: true,
    format: "esm",
    target: floor,
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    metafile: true,
    legalComments: "none",
    plugins: [mapBeside],
  });
  const entry = Object.entries(result.metafile.outputs).find(([, output]) => output.entryPoint?.endsWith("main.ts"));
  return path.basename(entry[0]);
}

async function bundle(options) {
  const result = await build({ ...options, bundle: true, minify: true, target: floor, write: false });
  return result.outputFiles[0].text;
}

async function rare(ranges) {
  const font = await readFile(path.join(here, "node_modules/@fontsource/lxgw-wenkai/files/lxgw-wenkai-latin-500-normal.woff2"));
  const letters = ranges.flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, index) => String.fromCodePoint(first + index)),
  );
  return subset(font, letters.join(""), { targetFormat: "woff2" });
}

async function hashed(name, ending, content) {
  const file = `${name}-${createHash("sha256").update(content).digest("hex").slice(0, 8).toUpperCase()}.${ending}`;
  await writeFile(path.join(out, file), content);
  return file;
}

async function maplibre() {
  const folder = path.join(out, mapFolder);
  await mkdir(folder);
  for (const file of ["maplibre-gl.mjs", "maplibre-gl-worker.mjs"]) {
    const text = await readFile(path.join(here, "node_modules/maplibre-gl/dist", file), "utf8");
    await writeFile(path.join(folder, file), text.replace(/\n?\/\/# sourceMappingURL=.*\s*$/, "\n"));
  }
}

async function licences() {
  const folder = path.join(out, "licences");
  await mkdir(folder);
  const texts = { "maplibre-gl": "LICENSE.txt", echarts: "LICENSE", zrender: "LICENSE", "@fontsource/lxgw-wenkai": "LICENSE" };
  for (const [name, file] of Object.entries(texts)) {
    await cp(path.join(here, "node_modules", name, file), path.join(folder, `${path.basename(name)}.txt`));
  }
}

async function json(file) {
  return JSON.parse(await readFile(path.join(here, "node_modules", file), "utf8"));
}
