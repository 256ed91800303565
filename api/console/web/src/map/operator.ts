import type {
  FillLayerSpecification,
  FilterSpecification,
  LayerSpecification,
  LineLayerSpecification,
  SourceSpecification,
  SymbolLayerSpecification,
} from "maplibre-gl";
import type { Theme } from "../app/preferences";
import type { Palette } from "./palette";
import { tilesOf } from "./pmtiles";

/** A map that the operator has given to the service, as `GET /maps` says. */
export interface OperatorMap {
  name: string;
  kind: "raster" | "vector";
  /** West, south, east, north; degrees. */
  bounds: [number, number, number, number];
  minzoom: number;
  maxzoom: number;
  attribution: string;
  /** Of a vector map. */
  layers: string[];
}

export function operatorSource(map: OperatorMap): SourceSpecification {
  const { kind: type, minzoom, maxzoom, bounds, attribution } = map;
  const tiles = [tilesOf(`/maps/${encodeURIComponent(map.name)}`)];
  const shared = { tiles, minzoom, maxzoom, bounds, attribution: asText(attribution) };
  return type === "raster" ? { type, tileSize: 256, ...shared } : { type, ...shared };
}

/** How one map is drawn: a raster as it is but for its light, a vector map by the names that its layers have. */
export function operatorLayers(map: OperatorMap, theme: Theme, palette: Palette): LayerSpecification[] {
  const source = `operator:${map.name}`;
  if (map.kind === "raster") {
    const paint = RASTER[theme];
    return paint === null ? [] : [{ id: source, type: "raster", source, paint }];
  }
  const known = ORDER.filter((name) => map.layers.includes(name));
  const unknown = map.layers.filter((name) => !ORDER.includes(name) && !SILENT.has(name));
  return [...known, ...unknown].map((name) => {
    const drawn = DRAWN[name] ?? line("line", 0.7);
    return { id: `${source}:${name}`, source, "source-layer": name, ...drawn(palette) } as LayerSpecification;
  });
}

type Drawn = Pick<
  FillLayerSpecification | LineLayerSpecification | SymbolLayerSpecification,
  "type" | "paint" | "layout"
> & {
  filter?: FilterSpecification;
};
type Drawing = (palette: Palette) => Drawn;

const RASTER: Record<Theme, Record<string, number> | null> = {
  light: { "raster-saturation": -0.4, "raster-opacity": 0.9 },
  dark: { "raster-saturation": -0.6, "raster-brightness-max": 0.55 },
  night: null, // a picture has green and blue light in it
};

/** Layers of the schemas of Protomaps and OpenMapTiles, the lowest first. */
const DRAWN: Record<string, Drawing> = {
  earth: fill("land"),
  landcover: fill("green"),
  landuse: fill("green"),
  park: fill("green"),
  water: fill("water"),
  waterway: line("water", 1.2),
  buildings: fill("building"),
  building: fill("building"),
  roads: line("road", 1.6),
  transportation: line("road", 1.6),
  places: text,
  place: text,
};
const ORDER = Object.keys(DRAWN);

/** Borders are Natural Earth's, those that plans are made with; points of interest and house numbers are noise here. */
const SILENT = new Set([
  "aerodrome_label",
  "boundaries",
  "boundary",
  "housenumber",
  "mountain_peak",
  "poi",
  "pois",
  "transportation_name",
  "water_name",
]);

function fill(colour: keyof Palette): Drawing {
  return (palette) => ({
    type: "fill",
    filter: ["==", ["geometry-type"], "Polygon"],
    paint: { "fill-color": palette[colour], "fill-antialias": false },
  });
}

function line(colour: keyof Palette, width: number): Drawing {
  return (palette) => ({
    type: "line",
    layout: { "line-join": "round" },
    paint: {
      "line-color": palette[colour],
      "line-width": ["interpolate", ["exponential", 1.5], ["zoom"], 6, width / 3, 12, width, 18, width * 5],
    },
  });
}

function text(palette: Palette): Drawn {
  return {
    type: "symbol",
    filter: ["==", ["geometry-type"], "Point"],
    layout: { "text-field": ["get", "name"], "text-font": ["sans-serif"], "text-size": 12, "text-max-width": 8 },
    paint: { "text-color": palette.label, "text-halo-color": palette.halo, "text-halo-width": 1.4 },
  };
}

/** MapLibre writes an attribution into the page as HTML; this one came out of somebody's file. */
function asText(attribution: string): string {
  return attribution.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
