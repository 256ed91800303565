import { expect, test } from "vitest";
import { distance, moved, offset, turned } from "./ground";

/** Haversine, on the same sphere. */
function haversine([lon0 = 0, lat0 = 0]: number[], [lon1 = 0, lat1 = 0]: number[]): number {
  const [a, b, l] = [lat0, lat1, lon1 - lon0].map((each) => (each * Math.PI) / 180) as [number, number, number];
  const h = Math.sin((b - a) / 2) ** 2 + Math.cos(a) * Math.cos(b) * Math.sin(l / 2) ** 2;
  return 2 * 6_371_008.8 * Math.asin(Math.sqrt(h));
}

test.each([0, 31, -45, 60, 78])("distances are those of the sphere at latitude %d, a few per mille off", (lat) => {
  for (const [east, north] of [
    [0.3, 0.1],
    [-0.2, 0.3],
    [0.001, -0.002],
  ] as const) {
    const [from, to] = [
      [10, lat],
      [10 + east, lat + north],
    ];
    expect(distance(from, to) / haversine(from, to)).toBeCloseTo(1, 2.5);
  }
});

test("what was moved lies where it was moved to, over the 180th meridian too", () => {
  const from = [179.99, 52];
  const [east, north] = offset(from, moved(from, 3000, -2000));
  expect(Math.abs(east - 3000)).toBeLessThan(3);
  expect(north).toBeCloseTo(-2000);
});

test("the short way round", () => {
  expect([190, -190, 540, -540, 0].map(turned)).toEqual([-170, 170, -180, -180, 0]);
});
