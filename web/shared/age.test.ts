import assert from "node:assert/strict";
import test from "node:test";
import { age, cityAt } from "./age.ts";

const zh = ["{n}天前", "{n}小时前", "{n}分钟前", "{n}秒前", "刚刚"];

test("an age is said in its largest whole unit", () => {
  assert.equal(age(0, 12_000, zh), "12秒前");
  assert.equal(age(0, 3 * 60_000 + 59_000, zh), "3分钟前");
  assert.equal(age(0, 26 * 3_600_000, zh), "1天前");
});

test("a time that is not past is just now", () => {
  assert.equal(age(5_000, 0, zh), "刚刚");
});

test("city time runs at the speed of the replay", () => {
  assert.equal(cityAt(1_000, 60, 2_000), 121_000);
});
