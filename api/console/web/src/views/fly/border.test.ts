import type { Position } from "geojson";
import { describe, expect, it } from "vitest";
import { boxOf } from "../../map/box";
import { lieOf, standing } from "./border";
import type { Segment } from "./records";

function segment(line: Position[], ownSide: "left" | "right" = "left", standOff = 200): Segment {
  const box = boxOf(line) ?? [0, 0, 0, 0];
  return { id: "b", name: "b", line, ownSide, standOff, box };
}

/** Whether a polygon holds a place: a ray to the east crosses its edges an odd number of times. */
function holds(ring: readonly Position[], [x = 0, y = 0]: Position): boolean {
  let odd = false;
  for (const [i, [x1 = 0, y1 = 0]] of ring.entries()) {
    const [x0 = 0, y0 = 0] = ring.at(i - 1) ?? [];
    if (y0 > y !== y1 > y && x < x0 + ((y - y0) / (y1 - y0)) * (x1 - x0)) odd = !odd;
  }
  return odd;
}

/** Numbers from 0 to 1, always the same ones (xorshift). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

describe("across the border", () => {
  const corner = segment([
    [9.9, 45],
    [10, 45],
    [10, 45.1],
  ]);

  it.each([
    [10.01, 44.99],
    [10.001, 44.999],
  ])("is so where an inner corner is the nearest of the line: %d %d", (...place) => {
    expect(standing(place, [corner], false).across?.metres).toBeGreaterThan(130);
  });

  it("agrees with the area that a line and the frame enclose, whatever its corners", () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const random = numbers(seed * 7919);
      const line = [0, 1, 2, 3, 4, 5, 6].map((n): Position => [10 + 0.02 * n, 45 + 0.06 * random()]);
      const own = [...line, [10.12, 46], [10, 46]]; // all that is north of it
      const side = seed % 2 === 0 ? "left" : "right";
      const turned = side === "left" ? line : line.toReversed();
      for (let n = 0; n < 60; n += 1) {
        const place = [10.005 + 0.11 * random(), 44.95 + 0.15 * random()];
        const lie = lieOf(place, segment(turned, side));
        // Beyond an end there is no telling, and the frame of the oracle ends there.
        if (lie === null || lie.beyond) continue;
        const across = standing(place, [segment(turned, side)], false).across !== null;
        expect(across, `seed ${seed}: ${place}`).toBe(!holds(own, place));
      }
    }
  });

  it("is what lies outside of a ring, and has no ends", () => {
    const ring: Position[] = [9, 10, 11, 12, 13, 14, 15, 16].map((n) => [
      10 + 0.05 * Math.cos((n * Math.PI) / 4),
      45 + 0.05 * Math.sin((n * Math.PI) / 4),
    ]);
    const island = segment([...ring, ring[0] ?? []]);
    const random = numbers(5);
    for (let n = 0; n < 500; n += 1) {
      const place = [9.9 + 0.2 * random(), 44.9 + 0.2 * random()];
      expect(standing(place, [island], false).across !== null, String(place)).toBe(!holds(ring, place));
    }
  });

  it("is so where two segments meet as if they were one", () => {
    const [a, b, c] = corner.line;
    const two = [segment([a ?? [], b ?? []]), segment([b ?? [], c ?? []])];
    const random = numbers(3);
    for (let n = 0; n < 300; n += 1) {
      const place = [9.95 + 0.1 * random(), 44.95 + 0.1 * random()];
      expect(standing(place, two, false).across !== null).toBe(standing(place, [corner], false).across !== null);
    }
  });

  it("is judged by the nearest line: what is behind one may lie before another", () => {
    const south = segment([
      [10.1, 44.8],
      [9.9, 44.8],
    ]); // its own side is the south
    expect(standing([10, 44.79], [corner, south], false).across).toBeNull();
    expect(standing([10, 44.82], [corner, south], false).across).not.toBeNull();
  });

  it("goes on however far it flies, and past the ends, until a line says that it is on its own side", () => {
    const straight = segment([
      [9.9, 45],
      [10.1, 45],
    ]);
    const across = (place: Position, was: boolean) => standing(place, [straight], was).across !== null;
    expect(across([10, 44.9], false)).toBe(true);
    for (const place of [
      [10, 44],
      [10, 30],
      [11, 44.9],
    ]) {
      expect(across(place, false)).toBe(false); // nothing to begin with
      expect(across(place, true)).toBe(true);
    }
    expect(across([11, 45.1], true)).toBe(false);
    expect(across([10, 45.001], true)).toBe(false);
  });

  it("is seen over the 180th meridian", () => {
    const line = segment([
      [179.9, 52],
      [179.999, 52],
      [-179.9, 52],
    ]);
    expect(standing([-179.99, 51.999], [line], false).across?.metres).toBeCloseTo(111, -1);
    const short = segment([
      [179.9, 52],
      [179.999, 52],
    ]);
    expect(standing([-179.9995, 52.0001], [short], false).near?.metres).toBeGreaterThan(90);
  });
});

it("the widest stand-off that is not kept is told of, beyond the ends too", () => {
  const line: Position[] = [
    [9.9, 45],
    [10.1, 45],
  ];
  expect(standing([10, 45.003], [segment(line, "left", 300), segment(line, "left", 400)], false).near).toMatchObject({
    least: 400,
  });
  expect(standing([10.101, 45], [segment(line)], false).near?.metres).toBeCloseTo(79, -1);
  expect(standing([10, 45.15], [segment(line, "left", 20_000)], false).near?.metres).toBeCloseTo(16_679, -1);
});
