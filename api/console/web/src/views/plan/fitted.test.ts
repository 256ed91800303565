import { expect, test } from "vitest";
import { fitted, widthOf } from "./fitted";

test("a name that has room stays whole, and one that has none keeps what tells it from others", () => {
  const long = "Northern sector long endurance aircraft";
  expect(fitted("vehicle-1", 100)).toBe("vehicle-1");
  const [one, two] = [fitted(`${long} 1`, 150), fitted(`${long} 2`, 150)];
  expect(one).not.toBe(two);
  expect(one).toMatch(/^North.*….* 1$/);
  for (const name of [long, "国境警備隊の長距離監視用航空機第一号", "👨‍👩‍👧".repeat(40)]) {
    for (const room of [30, 100, 250]) expect(widthOf(fitted(name, room))).toBeLessThanOrEqual(room);
  }
});
