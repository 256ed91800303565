/** The layers against the data that they come from, by other ways than those that made them. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, test, vi } from "vitest";
import { mapStyle } from "../src/map/style";
import { countriesOf, layersOf } from "./layers.mjs";
import { tilesOf } from "./tiles.mjs";

/** @import { MultiLineString, MultiPolygon, Point, Position } from "geojson" */

vi.mock("../src/map/pmtiles", () => ({ BASE_MAP: "basemap", tilesOf: String }));

const atlas = JSON.parse(
  readFileSync(createRequire(import.meta.url).resolve("world-atlas/countries-10m.json"), "utf8"),
);
const planner = JSON.parse(
  readFileSync(new URL("../../../../missions/data/land_borders.json", import.meta.url), "utf8"),
);
const layers = layersOf(atlas, planner);
const countries = countriesOf(atlas, planner);

/** @param {string} code @returns {{ properties: any, geometry: MultiPolygon }} */
function country(code) {
  return /** @type {any} */ (countries.find(({ properties }) => properties?.code === code));
}

/** To the metre, whatever turn of the earth they are in. @param {Position[][]} lines */
function vertices(lines) {
  return lines.flat().map(([lon, lat]) => `${Math.round((lon + 720) * 1e5) % 360e5} ${Math.round(lat * 1e5)}`);
}

/** Crossing number. @param {Position} point @param {Position[][]} rings */
function inside([x, y], rings) {
  let crossings = 0;
  for (const ring of rings) {
    for (let i = 1; i < ring.length; i += 1) {
      const [[x0, y0], [x1, y1]] = [ring[i - 1], ring[i]];
      if (y0 > y !== y1 > y && x < x0 + ((y - y0) * (x1 - x0)) / (y1 - y0)) crossings += 1;
    }
  }
  return crossings % 2 === 1;
}

test.each([
  ["MEX", "USA"],
  ["GRC", "TUR"],
  ["FIN", "RUS"],
])("%s and %s meet where the planner says", (left, right) => {
  const border = layers.boundaries.find(({ properties }) => properties?.left === left && properties.right === right);
  if (border === undefined) throw new Error("no such border");
  const points = vertices(/** @type {MultiLineString} */ (border.geometry).coordinates);
  const flat = planner.borders[`${left}-${right}`].map((/** @type {number[]} */ part) => part.length / 2);
  expect(points.length).toBe(flat.reduce((/** @type {number} */ a, /** @type {number} */ b) => a + b));
  for (const code of [left, right]) {
    const outline = new Set(vertices(country(code).geometry.coordinates.flat()));
    expect(points.filter((point) => !outline.has(point))).toEqual([]);
  }
});

test("a name stands inside of its country, once for each code", () => {
  const codes = layers.labels.map(({ properties }) => properties?.code);
  expect(new Set(codes).size).toBe(codes.length);
  expect(new Set(codes)).toEqual(new Set(countries.map(({ properties }) => properties?.code)));
  for (const label of layers.labels) {
    if (label.properties?.name === "Vatican") continue; // has no inside: it is smaller than the grid of the atlas
    const at = /** @type {Point} */ (label.geometry).coordinates;
    const of = countries.filter(({ properties }) => properties?.code === label.properties?.code);
    const parts = of.flatMap(({ geometry }) => /** @type {MultiPolygon} */ (geometry).coordinates);
    expect([label.properties?.name, parts.some((rings) => inside(at, rings))]).toEqual([label.properties?.name, true]);
  }
});

test("nothing leaps over the map at the antimeridian, and the seam of the atlas is no coast", () => {
  const lines = [...layers.land, ...countries].flatMap(({ geometry }) =>
    /** @type {MultiPolygon} */ (geometry).coordinates.flat(),
  );
  const coast = /** @type {MultiLineString} */ (layers.coastline[0].geometry).coordinates;
  for (const line of [...lines, ...coast]) {
    const leaps = line.filter(([lon, lat], i) => i > 0 && Math.abs(lon - line[i - 1][0]) > 180 && Math.abs(lat) < 85);
    expect(leaps).toEqual([]);
  }
  const along = coast.flatMap((line) =>
    line.filter(([lon], i) => i > 0 && Math.abs(lon) === 180 && Math.abs(line[i - 1][0]) === 180),
  );
  expect(along).toEqual([]);
});

test("a border with an area without a code of ISO 3166 is marked, others are not", () => {
  const disputed = (/** @type {string} */ a, /** @type {string} */ b) =>
    layers.boundaries.find(({ properties }) => properties?.left === a && properties.right === b)?.properties?.disputed;
  expect(disputed("SRB", "XKX")).toBe(true);
  expect(disputed("MEX", "USA")).toBe(false);
});

test("an atlas of other countries than the planner's is refused by name", () => {
  const { MEX: _, ...rest } = planner.countries;
  expect(() => layersOf(atlas, { ...planner, countries: rest })).toThrow('no country "Mexico"');
});

test("the map draws every layer, and no other", () => {
  const drawn = mapStyle("light", "en").layers.flatMap((layer) =>
    "source-layer" in layer ? layer["source-layer"] : [],
  );
  expect(new Set(drawn)).toEqual(new Set(Object.keys(layers)));
});

test("every tile says that it is sea where it is not land, those without land too", () => {
  const made = [...tilesOf({ sea: layers.sea, land: layers.land }, { minZoom: 4, maxZoom: 4, extent: 4096 })];
  expect(made.length).toBe(256);
  expect(made.filter(({ data }) => !Buffer.from(data).includes("sea"))).toEqual([]);
  expect(made.some(({ data }) => !Buffer.from(data).includes("land"))).toBe(true);
});
