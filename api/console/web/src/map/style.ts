import type { LayerSpecification, StyleSpecification } from "maplibre-gl";
import type { Theme } from "../app/preferences";
import { countryName } from "./names";
import { type OperatorMap, operatorLayers, operatorSource } from "./operator";
import { PALETTES, type Palette } from "./palette";
import { BASE_MAP, tilesOf } from "./pmtiles";

/**
 * The map below everything that is drawn: Natural Earth, the operator's maps over its land and water, and over those
 * the land borders and the names of countries. Ids of layers begin with `base:` or `operator:`; overlays are added
 * after them. Names are drawn in the fonts of the machine, so that there are none to be served.
 *
 * @param language tag of the language that countries are named in
 * @param maps the operator's, the first one lowest
 */
export function mapStyle(theme: Theme, language: string, maps: readonly OperatorMap[] = []): StyleSpecification {
  const palette = PALETTES[theme];
  const base = { type: "vector" as const, tiles: [tilesOf(BASE_MAP)], attribution: "Natural Earth" };
  return {
    version: 8,
    sources: {
      base: { ...base, minzoom: 0, maxzoom: 7 },
      // The archive has the land borders a second time, to the metre.
      borders: { ...base, minzoom: 10, maxzoom: 10 },
      ...Object.fromEntries(maps.map((map) => [`operator:${map.name}`, operatorSource(map)])),
    },
    layers: [
      ...ground(palette),
      ...maps.flatMap((map) => operatorLayers(map, theme, palette)),
      ...borders("base", palette, { maxzoom: 10 }),
      ...borders("borders", palette, { minzoom: 10 }),
      names(palette, language),
    ],
  };
}

/** Where nothing has come yet is neither land nor sea: whoever flies over it must not take it for one of them. */
function ground({ unknown, water, land, coast }: Palette): LayerSpecification[] {
  return [
    { id: "base:unknown", type: "background", paint: { "background-color": unknown } },
    {
      id: "base:water",
      type: "fill",
      source: "base",
      "source-layer": "sea",
      paint: { "fill-color": water, "fill-antialias": false },
    },
    {
      id: "base:land",
      type: "fill",
      source: "base",
      "source-layer": "land",
      paint: { "fill-color": land, "fill-antialias": false },
    },
    {
      id: "base:coast",
      type: "line",
      source: "base",
      "source-layer": "coastline",
      layout: { "line-join": "round" },
      paint: { "line-color": coast, "line-width": ["interpolate", ["linear"], ["zoom"], 0, 0.4, 6, 1, 12, 1.5] },
    },
  ];
}

/** A border with an area that has no code of its own in ISO 3166 is broken. */
function borders(
  source: "base" | "borders",
  { border }: Palette,
  range: { minzoom?: number; maxzoom?: number },
): LayerSpecification[] {
  const shared = { type: "line", source, "source-layer": "boundaries", ...range } as const;
  const paint = {
    "line-color": border,
    "line-width": ["interpolate", ["linear"], ["zoom"], 0, 0.4, 4, 0.9, 8, 1.6, 14, 2.4],
  } as const satisfies LayerSpecification["paint"];
  return [
    {
      id: `base:${source}-settled`,
      ...shared,
      filter: ["!", ["get", "disputed"]],
      layout: { "line-join": "round", "line-cap": "round" },
      paint,
    },
    {
      id: `base:${source}-disputed`,
      ...shared,
      filter: ["get", "disputed"],
      layout: { "line-join": "round" },
      paint: { ...paint, "line-dasharray": [3, 2.5] },
    },
  ];
}

function names({ label, halo }: Palette, language: string): LayerSpecification {
  const size = (largest: number, step: number, least: number) =>
    ["max", least, ["-", largest, ["*", step, ["get", "rank"]]]] as unknown as number;
  return {
    id: "base:names",
    type: "symbol",
    source: "base",
    "source-layer": "labels",
    // A zoom more shows countries of a quarter of the area: two ranks.
    filter: ["<=", ["get", "rank"], ["+", 3, ["*", 2, ["zoom"]]]],
    layout: {
      "text-field": countryName(language),
      "text-font": ["sans-serif"],
      "text-size": ["interpolate", ["linear"], ["zoom"], 1, size(12, 0.5, 9), 5, size(20, 1, 11), 8, size(26, 1, 13)],
      "text-letter-spacing": 0.04,
      "text-max-width": 7,
      "text-padding": 6,
      "symbol-sort-key": ["get", "rank"],
    },
    paint: { "text-color": label, "text-halo-color": halo, "text-halo-width": 1.4, "text-halo-blur": 0.4 },
  };
}
