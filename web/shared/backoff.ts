/** Waiting times between attempts to connect again: doubling from 1 s, at most 60 s, spread so that screens do not return together. */
export function backoff(attempt: number, chance: number): number {
  const longest = Math.min(60_000, 1000 * 2 ** Math.min(attempt, 10));
  return Math.round(longest * (0.5 + chance / 2));
}
