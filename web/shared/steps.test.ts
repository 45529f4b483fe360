import assert from "node:assert/strict";
import test from "node:test";
import { nextOf } from "./steps.ts";

test("a step goes to the next line, begins at either end and stays at the last", () => {
  assert.equal(nextOf(-1, 1, 3), 0);
  assert.equal(nextOf(-1, -1, 3), 2);
  assert.equal(nextOf(1, 1, 3), 2);
  assert.equal(nextOf(2, 1, 3), 2);
  assert.equal(nextOf(0, -1, 3), 0);
  assert.equal(nextOf(-1, 1, 0), -1);
});
