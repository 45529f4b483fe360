import assert from "node:assert/strict";
import test from "node:test";
import { closeTogether, hourMarks, kept, numberOf, type Row, stands } from "./rows.ts";

const row = (at: number, seen: number | null): Row => ({ at, word: "", seen, ahead: null, low: null, high: null });
const hour = 3_600_000;

test("an empty cell is missing, not zero", () => {
  assert.equal(numberOf(undefined), null);
  assert.equal(numberOf(""), null);
  assert.equal(numberOf("0"), 0);
});

test("values close together far from zero are told apart", () => {
  assert.equal(closeTogether([row(0, 90), row(1, 98)]), true);
  assert.equal(closeTogether([row(0, 1), row(1, 98)]), false);
});

test("marks of two days fall on the district's hours of six, midnight among them", () => {
  const start = Date.parse("2026-11-21T07:00:00+08:00");
  const marks = hourMarks(Array.from({ length: 49 }, (_, index) => row(start + index * hour, index)));
  assert.equal(new Date(marks[0] ?? 0).toISOString(), "2026-11-21T04:00:00.000Z");
  assert.ok(marks.includes(Date.parse("2026-11-22T00:00:00+08:00")));
  assert.equal((marks[1] ?? 0) - (marks[0] ?? 0), 6 * hour);
});

test("what is beyond the axis stands at its end, and everything where it is without one", () => {
  assert.equal(kept(1e308, { least: 0, most: 400 }), 400);
  assert.equal(kept(-1e308, { least: 0, most: 400 }), 0);
  assert.equal(kept(199, { least: 0, most: 400 }), 199);
  assert.equal(kept(1e308, null), 1e308);
});

test("a reading between holes stands alone", () => {
  const rows = [row(0, 5), row(1, 6), row(2, null), row(3, 7), row(4, null)];
  assert.deepEqual(
    rows.map((_, index) => stands(rows, index)),
    [false, false, false, true, false],
  );
});
