import assert from "node:assert/strict";
import { test } from "node:test";
import { placeAt, readDegrees } from "./plan.ts";

test("a spot on the plan lies where the plan says", () => {
  const degrees = readDegrees("117.1 39.2 0.001 -0.0005");
  assert.ok(degrees !== null);
  assert.deepEqual(placeAt(degrees, 100, 200), { lon: 117.1 + 100 * 0.001, lat: 39.2 - 200 * 0.0005 });
});

test("a schematic has no degrees", () => {
  assert.equal(readDegrees(""), null);
  assert.equal(readDegrees("117.1 39.2 x y"), null);
});
