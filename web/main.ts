/** The script of every page: small elements at once, the map and the chart only where a page has one. */
import "./elements/cb-age/cb-age.ts";
import "./elements/cb-clock/cb-clock.ts";
import "./elements/cb-filter/cb-filter.ts";
import "./elements/cb-here/cb-here.ts";
import "./elements/cb-keep/cb-keep.ts";
import "./elements/cb-keys/cb-keys.ts";
import "./elements/cb-live/cb-live.ts";
import "./elements/cb-place/cb-place.ts";

function loadWhereNeeded(): void {
  if (document.querySelector("cb-map") !== null) void import("./elements/cb-map/cb-map.ts");
  if (document.querySelector("cb-chart") !== null) void import("./elements/cb-chart/cb-chart.ts");
}

loadWhereNeeded();
document.querySelector<HTMLElement>(".error-summary")?.focus();
