/** The part of GeoJSON that the map reads. */

import type { FeatureCollection } from "geojson";

type Spot = readonly [number, number];
export type Layer = FeatureCollection;
export type Box = readonly [west: number, south: number, east: number, north: number];

/** Whether an answer is a layer. */
export function isLayer(value: unknown): value is Layer {
  return typeof value === "object" && value !== null && "features" in value && Array.isArray(value.features);
}

/** The box around all features of some layers, or null where there is none. */
export function boxAround(layers: readonly Layer[]): Box | null {
  const spots = layers.flatMap((layer) =>
    layer.features.flatMap((feature) => spotsOf("coordinates" in feature.geometry ? feature.geometry.coordinates : null)),
  );
  if (spots.length === 0) return null;
  const lons = spots.map((spot) => spot[0]);
  const lats = spots.map((spot) => spot[1]);
  return [least(lons), least(lats), most(lons), most(lats)];
}

function spotsOf(coordinates: unknown): readonly Spot[] {
  if (!Array.isArray(coordinates)) return [];
  const [lon, lat] = coordinates;
  if (typeof lon === "number" && typeof lat === "number") return [[lon, lat]];
  return coordinates.flatMap(spotsOf);
}

function least(values: readonly number[]): number {
  return values.reduce((found, value) => Math.min(value, found), Number.POSITIVE_INFINITY);
}

function most(values: readonly number[]): number {
  return values.reduce((found, value) => Math.max(value, found), Number.NEGATIVE_INFINITY);
}
