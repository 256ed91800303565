import LatLon from "geodesy/latlon-ellipsoidal-vincenty.js";
import { expect, it } from "vitest";
import { bearingTo, metresBetween, wayBetween } from "./greatCircle";

const places = [
  [-110.94, 31.333],
  [-110.9399, 31.3331],
  [26.57, 41.68],
  [23.7275, 37.9838],
  [179.9, -16.2],
  [-179.9, -16.4],
  [10, 69.9],
];

it("agrees with the ellipsoid (Vincenty) to half a percent, and half a degree of bearing", () => {
  for (const from of places)
    for (const to of places) {
      if (from === to) continue;
      const [a, b] = [from, to].map(([lon = 0, lat = 0]) => new LatLon(lat, lon)) as [LatLon, LatLon];
      expect(metresBetween(from, to) / a.distanceTo(b)).toBeCloseTo(1, 2);
      const off = Math.abs(bearingTo(from, to) - a.initialBearingTo(b));
      expect(Math.min(off, 360 - off)).toBeLessThan(0.5);
    }
});

it.each([
  [[0, 0], [0, 1], 0],
  [[0, 0], [1, 0], 90],
  [[0, 0], [0, -1], 180],
  [[0, 0], [-1, 0], 270],
  [[179.5, 0], [-179.5, 0], 90],
])("from %j to %j is a degree at %d", (from, to, bearing) => {
  expect(bearingTo(from, to)).toBeCloseTo(bearing, 9);
  expect(metresBetween(from, to)).toBeCloseTo(111_195.08, 1);
});

it("the way lies between its ends, is as long as they are apart, and goes on over the antimeridian", () => {
  for (const from of places)
    for (const to of places) {
      const way = wayBetween(from, to);
      const legs = way.slice(1).map((next, i) => metresBetween(way[i] ?? [], next));
      expect(legs.reduce((sum, leg) => sum + leg, 0)).toBeCloseTo(metresBetween(from, to), 3);
      expect(Math.max(...legs)).toBeLessThanOrEqual(20_001);
      for (const [i, [lon = 0]] of way.slice(1).entries()) expect(Math.abs(lon - (way[i]?.[0] ?? 0))).toBeLessThan(90);
    }
});

it("no way at all has no length", () => {
  expect(metresBetween([10, 45], [10, 45])).toBe(0);
  expect(wayBetween([10, 45], [10, 45])).toEqual([
    [10, 45],
    [10, 45],
  ]);
});
