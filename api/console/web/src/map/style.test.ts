import { validateStyleMin } from "@maplibre/maplibre-gl-style-spec";
import { expect, test, vi } from "vitest";
import type { OperatorMap } from "./operator";
import { mapStyle } from "./style";

vi.mock("./pmtiles", () => ({
  BASE_MAP: "/console/basemap.pmtiles",
  tilesOf: (archive: string) => `pmtiles://${archive}/{z}/{x}/{y}`,
}));

const THEMES = ["light", "dark", "night"] as const;
const about = { bounds: [19, 39, 27, 44] as [number, number, number, number], minzoom: 0, maxzoom: 14 };
const MAPS: OperatorMap[] = [
  { ...about, name: "air photographs", kind: "raster", attribution: "<b onclick=evil()>", layers: [] },
  { ...about, name: "roads", kind: "vector", attribution: "", layers: ["roads", "earth", "poi", "minefields"] },
];

test.each(THEMES)("the style is one that MapLibre takes: %s", (theme) => {
  expect(validateStyleMin(mapStyle(theme, "el", MAPS))).toEqual([]);
});

test.each(THEMES)("what has not come yet looks neither like land nor like water: %s", (theme) => {
  const { layers } = mapStyle(theme, "en");
  expect(layers[0]).toMatchObject({ type: "background" }); // it lies below all, and is of no tile
  const colours = layers.slice(0, 3).map(({ paint }) => Object.values(paint ?? {})[0]);
  expect(layers.slice(1, 3).map((each) => "source-layer" in each && each["source-layer"])).toEqual(["sea", "land"]);
  expect(new Set(colours).size).toBe(3);
});

test("by night there is red light alone", () => {
  const colours = JSON.stringify(mapStyle("night", "en", MAPS)).match(/#[0-9a-f]{6}/g) ?? [];
  expect(colours.length).toBeGreaterThan(5);
  expect(colours.filter((colour) => !colour.endsWith("0000"))).toEqual([]);
  expect(mapStyle("night", "en", MAPS).layers.filter(({ type }) => type === "raster")).toEqual([]);
});

test("an operator's map lies over land and water, and below the borders and names", () => {
  const ids = mapStyle("light", "en", MAPS).layers.map(({ id }) => id);
  const first = ids.findIndex((id) => id.startsWith("operator:"));
  expect(ids.slice(first, first + 4)).toEqual([
    "operator:air photographs",
    "operator:roads:earth",
    "operator:roads:roads",
    "operator:roads:minefields",
  ]);
  expect(ids.indexOf("base:coast")).toBeLessThan(first);
  expect(ids.indexOf("base:base-settled")).toBe(first + 4);
});

test("what a file says of its origin is text, not markup", () => {
  expect(JSON.stringify(mapStyle("light", "en", MAPS).sources)).not.toContain("<");
});

test("countries are named in the language", () => {
  const named = (language: string) => JSON.stringify(mapStyle("light", language).layers);
  expect(named("el")).toContain("Ελλάδα");
  expect(named("de")).toContain("Griechenland");
});
