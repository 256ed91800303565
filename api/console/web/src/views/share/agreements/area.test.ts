import { expect, test } from "vitest";
import { boxOfArea, readArea } from "./area";

const ring = [
  [24, 40],
  [25, 40],
  [25, 41],
  [24, 40],
];
const polygon = { type: "Polygon", coordinates: [ring] };

test("polygons are found alone, in features and in collections", () => {
  const feature = { type: "Feature", geometry: polygon, properties: {} };
  expect(readArea(JSON.stringify(polygon))).toEqual({ area: polygon });
  expect(readArea(JSON.stringify(feature))).toEqual({ area: polygon });
  const several = { type: "FeatureCollection", features: [feature, feature] };
  expect(readArea(JSON.stringify(several))).toEqual({ area: { type: "MultiPolygon", coordinates: [[ring], [ring]] } });
});

test("heights are left out: an area is on the ground", () => {
  const high = { type: "Polygon", coordinates: [ring.map((place) => [...place, 120])] };
  expect(readArea(JSON.stringify(high))).toEqual({ area: polygon });
});

test.each([
  ["{", "this is no JSON"],
  ["[]", "no polygon"],
  ['{"type": "Point", "coordinates": [1, 2]}', "no polygon"],
  ['{"type": "Polygon", "coordinates": [[["a", 1]]]}', "longitude and latitude"],
  ['{"type": "Polygon"}', "there is none"],
])("%s is refused with what is wrong", (text, said) => {
  expect(readArea(text)).toEqual({ fault: expect.stringContaining(said) });
});

test("the box of an area holds it", () => {
  expect(boxOfArea({ type: "Polygon", coordinates: [ring as [number, number][]] })).toEqual([24, 40, 25, 41]);
});
