import { expect, test } from "vitest";
import { restOf } from "./rest";

/** Numbers from 0 to below `limit`, the same ones in each run. */
function drawing(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

const same = (item: string) => item;

test("whatever comes and goes, nothing that still waits falls out of the list, and all stand in their order", () => {
  for (let seed = 1; seed <= 500; seed += 1) {
    const draw = drawing(seed);
    const limit = 5 + draw(20);
    let waiting = Array.from({ length: limit + draw(40) }, (_, place) => `old ${place}`);
    const before = waiting.slice(0, limit + draw(40));
    for (let count = draw(limit); count > 0; count -= 1) {
      if (draw(3) === 0) waiting.splice(draw(waiting.length), 1);
      else waiting.splice(draw(draw(2) === 0 ? 1 : waiting.length), 0, `new ${count}`);
    }
    const read = waiting.slice(0, limit);
    const rest = restOf(before, read, same);
    const shown = [...read, ...(rest ?? [])];
    const known = new Set([...before, ...read]);
    waiting = waiting.filter((item) => known.has(item));
    if (rest === null) waiting = waiting.slice(0, limit);
    const now = new Set(waiting);
    expect(
      shown.filter((item) => now.has(item)),
      `seed ${seed}`,
    ).toEqual(waiting);
    expect(new Set(shown).size, `seed ${seed}`).toBe(shown.length);
  }
});

test("where more came than was read, the list goes on from what was read", () => {
  expect(restOf(["a", "b"], ["x", "y"], same)).toBeNull();
  expect(restOf(["a", "b"], ["x", "a"], same)).toEqual(["b"]);
});
