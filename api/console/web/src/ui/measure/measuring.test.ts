import { beforeEach, expect, it, vi } from "vitest";
import { addPoint, bearingText, legs, lengthText, measuring, points, takeLast, toggleMeasuring } from "./measuring";

vi.mock("../../app/preferences", () => ({ language: { value: "en" } }));

beforeEach(() => {
  if (measuring.value) toggleMeasuring();
});

it("a unit has its own figures", () => {
  expect([lengthText(12345.6, "m"), lengthText(12345.6, "km"), lengthText(1852, "nm")]).toEqual([
    "12,346 m",
    "12.346 km",
    "1.000 nm",
  ]);
});

it("a place on another turn of the map is the same place", () => {
  toggleMeasuring();
  for (const lon of [190, -190, 550, 26.5]) addPoint([lon, 41]);
  expect(points.value.map(([lon]) => lon)).toEqual([-170, 170, -170, 26.5]);
});

it("a bearing has three figures, and north is 000", () => {
  expect([bearingText(7.4), bearingText(359.7), bearingText(180)]).toEqual(["007°", "000°", "180°"]);
});

it("points make legs, the last is taken back, and what was measured goes with the tool", () => {
  toggleMeasuring();
  for (const at of [
    [0, 0],
    [1, 0],
    [1, 1],
  ])
    addPoint(at);
  expect(legs.value.map(({ bearing }) => Math.round(bearing))).toEqual([90, 0]);
  takeLast();
  expect(legs.value).toHaveLength(1);
  toggleMeasuring();
  expect([points.value, legs.value]).toEqual([[], []]);
});
