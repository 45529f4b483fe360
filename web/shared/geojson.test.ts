import assert from "node:assert/strict";
import test from "node:test";
import { boxAround, isLayer } from "./geojson.ts";

test("the box holds polygons and points alike", () => {
  const layer = {
    type: "FeatureCollection" as const,
    features: [
      { type: "Feature" as const, properties: null, geometry: { type: "Point" as const, coordinates: [117.1, 39.1] } },
      {
        type: "Feature" as const,
        properties: null,
        geometry: {
          type: "Polygon" as const,
          coordinates: [
            [
              [117.0, 39.0],
              [117.2, 39.0],
              [117.2, 39.3],
              [117.0, 39.0],
            ],
          ],
        },
      },
    ],
  };
  assert.deepEqual(boxAround([layer]), [117.0, 39.0, 117.2, 39.3]);
  assert.equal(boxAround([]), null);
});

test("a problem document is not a layer", () => {
  assert.equal(isLayer({ code: "not_found" }), false);
  assert.equal(isLayer(null), false);
});
