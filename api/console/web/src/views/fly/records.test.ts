import { expect, test } from "vitest";
import { crossingOf, cueOf, segmentOf, sensorOf, vehicleOf } from "./records";

const feature = (properties: object, geometry: object | null = { type: "Point", coordinates: [10, 45] }) => ({
  type: "Feature",
  id: "0123456789",
  geometry,
  properties,
});

test("what a vehicle or a sensor does not tell is not known", () => {
  expect(vehicleOf(feature({ name: "heron" }))).toMatchObject({ frame: null, state: null });
  expect(vehicleOf(feature({ frame: "balloon", state: "on task" }))).toMatchObject({ frame: null, state: "on task" });
  expect(vehicleOf(feature({ frame: "vtol" }))).toMatchObject({ frame: "vtol" });
  expect(sensorOf(feature({ name: "gate" }))).toMatchObject({ state: null });
  expect(sensorOf(feature({ state: "silent" }))).toMatchObject({ state: "silent", name: "01234567" });
});

test.each([cueOf, crossingOf, sensorOf])("what lies nowhere is not shown", (read) => {
  expect(read(feature({}))).toMatchObject({ id: "0123456789", at: [10, 45] });
  expect(read(feature({}, null))).toBeNull();
  expect(read(feature({}, { type: "LineString", coordinates: [[10, 45]] }))).toBeNull();
  expect(read({ geometry: null })).toBeNull();
});

test("a segment has the box of its line", () => {
  const line = (coordinates: number[][]) => segmentOf(feature({}, { type: "LineString", coordinates }));
  const two = line([
    [10, 45],
    [9, 46],
  ]);
  expect(two?.box).toEqual([9, 45, 10, 46]);
  expect(line([])).toBeNull();
});
