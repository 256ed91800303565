import { expect, it } from "vitest";
import { Motion } from "./motion";

it("a vehicle glides to where it is said to be, and is short of it until it was drawn there", () => {
  const motion = new Motion();
  motion.head("heron", [10, 45], 0, 1000);
  expect([motion.place("heron", 0), motion.isShort(0)]).toEqual([[10, 45], false]); // the first place is no way
  motion.head("heron", [10.01, 45], 5000, 1000);
  expect(motion.place("heron", 5500)?.[0]).toBeCloseTo(10.005);
  // Drawn last when half of the way was left, it is drawn again however long after; drawn at the end of it, no more.
  expect([5500, 6000, 60_000].map((drawn) => motion.isShort(drawn))).toEqual([true, false, false]);
  expect(motion.place("heron", 60_000)).toEqual([10.01, 45]);
});

it("a jump is drawn at once, and what is forgotten nowhere", () => {
  const motion = new Motion();
  motion.head("heron", [10, 45], 0, 1000);
  motion.head("heron", [11, 45], 5000, 1000);
  expect([motion.place("heron", 5000), motion.isShort(5000)]).toEqual([[11, 45], false]);
  motion.forget("heron");
  expect([motion.place("heron", 5000), motion.isShort(0)]).toEqual([null, false]);
});
