/** A degree to four decimals, some ten metres: near enough to walk from, and no more of somebody's position than is needed. */
export function degrees(value: number): string {
  return value.toFixed(4);
}
