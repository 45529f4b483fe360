/** The place of the line to go to: from none the first or the last, at an end it stays. */
export function nextOf(here: number, by: number, count: number): number {
  if (count === 0) return -1;
  if (here < 0) return by > 0 ? 0 : count - 1;
  return Math.min(count - 1, Math.max(0, here + by));
}
