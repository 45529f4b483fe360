import assert from "node:assert/strict";
import { test } from "node:test";
import { degrees } from "./degrees.ts";

test("a position is sent to ten metres and no nearer", () => {
  assert.equal(degrees(117.123456789), "117.1235");
  assert.equal(degrees(-0.00004), "-0.0000");
});
