import { expect, test } from "vitest";
import { boxOf } from "./box";

test("a box encloses its places, be they ever so many", () => {
  const many = Array.from({ length: 300_000 }, (_, number) => [number / 8192, -1 - number / 8192]);
  expect(boxOf(many)).toEqual([0, -1 - 299_999 / 8192, 299_999 / 8192, -1]);
  expect(boxOf([[26, 41, 300]])).toEqual([26, 41, 26, 41]);
  expect(boxOf([])).toBeNull();
});
