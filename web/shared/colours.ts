/** Colours of the page's style, by the name of the custom property, for what is drawn on a canvas. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Calls `redraw` when the page changes between light and dark; returns how to stop. */
export function whenThemeTurns(redraw: () => void): () => void {
  const media = matchMedia("(prefers-color-scheme: dark)");
  media.addListener(redraw);
  const watch = new MutationObserver(redraw);
  watch.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  return () => {
    media.removeListener(redraw);
    watch.disconnect();
  };
}
