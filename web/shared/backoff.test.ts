import assert from "node:assert/strict";
import test from "node:test";
import { backoff } from "./backoff.ts";

test("waiting doubles and never passes a minute, also after weeks", () => {
  assert.equal(backoff(0, 1), 1_000);
  assert.equal(backoff(3, 1), 8_000);
  assert.equal(backoff(100_000, 1), 60_000);
  assert.equal(backoff(100_000, 0), 30_000);
});
