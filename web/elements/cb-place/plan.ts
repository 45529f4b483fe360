/** From a spot on a drawn plan to degrees: the plan says where its corner lies and how much a step is. */

export interface Degrees {
  readonly lon: number;
  readonly lat: number;
  readonly across: number;
  readonly down: number;
}

/** The four numbers of a plan's `data-degrees`; null for a schematic, which has none. */
export function readDegrees(text: string): Degrees | null {
  const [lon, lat, across, down] = text.split(/\s+/).filter(Boolean).map(Number);
  if (lon === undefined || lat === undefined || across === undefined || down === undefined) return null;
  return [lon, lat, across, down].every(Number.isFinite) ? { lon, lat, across, down } : null;
}

/** Where a spot of the plan lies. */
export function placeAt(degrees: Degrees, x: number, y: number): { lon: number; lat: number } {
  return { lon: degrees.lon + x * degrees.across, lat: degrees.lat + y * degrees.down };
}
