import { expect, test } from "vitest";
import { distance } from "../../map/ground";
import type { TrackPoint } from "./crossing";
import { boxAround, outline, wayUntil, whereAt } from "./ground";

const at = (second: number): TrackPoint => ({ at: second * 1000, lat: 31 + second / 1e5, lon: -110, sigma: second });
const track = [at(0), at(2), at(4)];

test("the way ends where it was at the moment, and is not known outside the track", () => {
  expect(whereAt(track, 3000)).toMatchObject({ lat: expect.closeTo(31.00003, 9), sigma: 3 });
  expect(wayUntil(track, 3000).map(([, lat]) => lat)).toEqual([31, 31.00002, expect.closeTo(31.00003, 9)]);
  expect(whereAt(track, -1)).toBeNull();
  expect(whereAt(track, 4001)).toBeNull();
});

test("an ellipse reaches as far as its axes, the major one clockwise from north", () => {
  const ring = outline(60, 20, { major: 30, minor: 10, orientation: 90 });
  const reach = ring.map((place) => distance([20, 60], place));
  expect(Math.max(...reach)).toBeCloseTo(30, 1);
  expect(Math.min(...reach)).toBeCloseTo(10, 1);
  const [west, , east] = boxAround(60, 20, 30);
  expect(Math.max(...ring.map(([lon = 0]) => lon))).toBeCloseTo(east, 6);
  expect(Math.min(...ring.map(([lon = 0]) => lon))).toBeCloseTo(west, 6);
});
