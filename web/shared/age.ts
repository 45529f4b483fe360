/** City time in the browser, and ages said with the server's own words. */

const LENGTHS = [86_400, 3_600, 60, 1] as const;

/** City time in ms: the anchor that the server gave, run on at `speed` city seconds per wall second. */
export function cityAt(anchor: number, speed: number, elapsed: number): number {
  return anchor + elapsed * speed;
}

/** How long ago, in the largest whole unit; `words` are those for days, hours, minutes, seconds and for just now. */
export function age(then: number, now: number, words: readonly string[]): string {
  const seconds = Math.floor((now - then) / 1000);
  const unit = LENGTHS.findIndex((length) => seconds >= length);
  const length = LENGTHS[unit];
  if (length === undefined) return words[LENGTHS.length] ?? "";
  return (words[unit] ?? "").replace("{n}", String(Math.floor(seconds / length)));
}

/** The page's city time now; the server writes the anchor and the speed on the root element. */
export function cityNow(): number {
  const { city, speed } = document.documentElement.dataset;
  return cityAt(Date.parse(city ?? ""), Number(speed ?? "1"), performance.now());
}
