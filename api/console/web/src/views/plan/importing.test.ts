import { expect, test } from "vitest";
import { emptyDraft } from "./draft";
import { importInto } from "./importing";
import { ImportError } from "./shapes";

const TRIANGLE = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 0],
];
const feature = (type: string, coordinates: unknown, properties: object | null = null) => ({
  type: "Feature",
  geometry: { type, coordinates },
  properties,
});
const zone = (properties: object, ring: unknown = TRIANGLE) => feature("Polygon", [ring], properties);
const read = (...features: unknown[]) =>
  importInto(emptyDraft(), "area.geojson", JSON.stringify({ type: "FeatureCollection", features }));

test("lines, polygons and points of a file are borders, zones and bases, with what it says of them", () => {
  const { draft, leftOut } = read(
    feature("LineString", TRIANGLE.slice(0, 2), { NAME: "Evros", own_side: "Right" }),
    zone({ name: "range", kind: " LIMITS ", ceiling_m: "60", ceiling_datum: "amsl" }),
    feature("Point", [0.5, 0.25]),
  );
  expect(leftOut).toEqual([]);
  expect(draft.lines).toMatchObject([{ name: "Evros", ownSide: "right" }]);
  expect(draft.zones).toMatchObject([
    { name: "range", kind: "limits", floorM: null, ceilingM: 60, ceilingDatum: "AMSL" },
  ]);
  expect(draft.bases).toMatchObject([{ name: "base 1", at: [0.5, 0.25] }]);
});

test("each part of a shape of many is one of its own", () => {
  const { draft } = read(
    feature("MultiPolygon", [[TRIANGLE], [TRIANGLE]], { name: "range" }),
    feature("MultiLineString", [TRIANGLE, TRIANGLE]),
    {
      type: "Feature",
      properties: null,
      geometry: { type: "GeometryCollection", geometries: [{ type: "MultiPoint", coordinates: TRIANGLE }] },
    },
  );
  expect(draft.zones.map((each) => each.name)).toEqual(["range", "range 2"]);
  expect([draft.lines.length, draft.bases.length]).toEqual([2, 4]);
});

test("a ring is closed, and none of its corners lost", () => {
  const open = [...TRIANGLE.slice(0, 3), [0, 1]];
  for (const ring of [open, [...open, [0, 0]], [...open, [0, 1], [0, 0]]])
    expect(read(zone({}, ring)).draft.zones[0]?.ring).toEqual([...open, [0, 0]]);
});

test.each<[string, object]>([
  ["floor_datum", { floor_m: 50 }],
  ["ceiling_datum", { kind: "limits", ceiling_m: 60, ceiling_datum: "HAE" }],
  ["ceiling_datum", { ceiling_m: 60, ceiling_datum: "MSL" }],
  ["floor_datum", { floor_datum: "AGL" }],
  ["ceiling_m", { kind: "limits", floor_m: 0, floor_datum: "AGL", ceiling_m: "60 m", ceiling_datum: "AGL" }],
  ["ceiling_m", { ceiling_m: true, ceiling_datum: "AGL" }],
  ["ceiling_m", { ceiling_m: "0x10", ceiling_datum: "AGL" }],
  ["limits nothing", { kind: "limits" }],
  ["not below", { floor_m: 60, floor_datum: "AGL", ceiling_m: 60, ceiling_datum: "AGL" }],
  ["kind is", { kind: "prohibited" }],
  ["kind is", { kind: 3 }],
  ["kind is", { kind: "landing_site" }],
  ["is not known", { kind: "limits", ceiling: 60, floor_m: 40, floor_datum: "AGL" }],
])("a zone whose %s is not understood, %j, is refused", (word, says) => {
  const refused = () => read(feature("Point", [0, 0]), zone({ name: "range", ...says }));
  expect(refused).toThrow(ImportError);
  expect(refused).toThrow(/^feature 2 \(range\)/);
  expect(refused).toThrow(word);
});

test.each<[string, unknown]>([
  ["a ring of two corners", zone({}, [TRIANGLE[0], TRIANGLE[1], TRIANGLE[1], TRIANGLE[0]])],
  ["a line of one place", feature("LineString", TRIANGLE.slice(0, 1))],
  ["a zone that is a line", feature("LineString", TRIANGLE, { kind: "no_fly" })],
  ["a zone that is a point", feature("Point", [0, 0], { kind: "No_Fly", radius_m: 500 })],
  ["a side that is none", feature("LineString", TRIANGLE, { own_side: "north" })],
  ["a feature without a geometry", { type: "Feature", properties: { name: "range" }, geometry: null }],
  ["a geometry of another kind", feature("Circle", [0, 0])],
  ["a place that is none", feature("Point", "0, 0")],
  ["a place beyond the earth", feature("Point", [500, 2])],
  ["coordinates that are none", { type: "Feature", properties: {}, geometry: { type: "Polygon" } }],
  ["properties that are none", { type: "Feature", properties: "x", geometry: { type: "Point", coordinates: [0, 0] } }],
  ["what is no feature", null],
  ["another coordinate system", { ...zone({}), crs: { type: "name", properties: { name: "EPSG:3857" } } }],
])("a file with %s is refused as a whole", (_, other) => {
  expect(() => read(feature("Point", [0, 0]), other)).toThrow(ImportError);
});

test.each([
  "{}",
  "nothing",
  "null",
  "[1]",
  '{"type":"FeatureCollection"}',
  '{"type":"FeatureCollection","features":[]}',
])("a file that is of no use, %s, is refused", (text) =>
  expect(() => importInto(emptyDraft(), "x.geojson", text)).toThrow(ImportError),
);

test("what is not drawn here is said, and is no base or border", () => {
  const { draft, leftOut } = read(
    zone({ name: "range" }),
    feature("Point", [0.5, 0.25], { name: "meadow", kind: "Landing_Site", radius_m: 20 }),
    feature("LineString", TRIANGLE, { name: "S1", kind: "sortie" }),
    feature("Polygon", [TRIANGLE, TRIANGLE], { name: "ring" }),
  );
  expect([draft.bases.length, draft.lines.length, draft.zones.length]).toEqual([0, 0, 2]);
  expect(leftOut).toEqual([
    expect.stringMatching(/^feature 2 \(meadow\): landing sites/),
    expect.stringMatching(/^feature 3 \(S1\): a line of kind sortie/),
    expect.stringMatching(/^feature 4 \(ring\): its holes/),
  ]);
});
