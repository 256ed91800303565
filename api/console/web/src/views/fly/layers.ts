/** What is drawn on the map of this view and how; colours are the theme's. */

import type { Feature, FeatureCollection, Position } from "geojson";
import type { DataDrivenPropertyValueSpecification, ExpressionSpecification, FilterSpecification } from "maplibre-gl";
import { t } from "../../i18n";
import { colour, type DrawnLayer } from "../../map/Drawing";
import type { Crossing, Cue, Segment, Sensor } from "./records";

/** Metres of a pixel at the equator at zoom 0, with tiles of 512 pixels. */
const PIXEL_M = 78_271.517;
const FONT = ["Noto Sans Regular"];
/** Cues that are older than this are drawn pale. */
const FRESH_MS = 15 * 60_000;

export function collection(features: readonly Feature[]): FeatureCollection {
  return { type: "FeatureCollection", features: [...features] };
}

/** Named in its properties alone: MapLibre takes the first digits of an id for a number, and one of twenty breaks its tile. */
export function point(id: string, at: Position, properties: Feature["properties"]): Feature {
  return { type: "Feature", geometry: { type: "Point", coordinates: at }, properties: { id, ...properties } };
}

/** The border with the band in which none of ours may be, on both sides. `wide` is its breadth in pixels at zoom 0. */
export function borderOf(segments: Iterable<Segment>): FeatureCollection {
  return collection(
    [...segments].map((each) => {
      const lat = each.line[0]?.[1] ?? 0;
      const wide = (2 * each.standOff) / (PIXEL_M * Math.max(0.01, Math.cos((lat * Math.PI) / 180)));
      const geometry = { type: "LineString" as const, coordinates: each.line };
      return {
        type: "Feature",
        geometry,
        properties: { id: each.id, name: each.name, part: "border", wide },
      };
    }),
  );
}

export function sensorsOf(sensors: Iterable<Sensor>): FeatureCollection {
  return collection(
    [...sensors].map(({ id, name, state, at }) => {
      const word = `${name}: ${t(`fly.sensor_${state ?? "unknown"}`)}`;
      return point(id, at, { state: state ?? "unknown", ...(state === "working" ? {} : { word }) });
    }),
  );
}

export function sensorLayers(): DrawnLayer[] {
  return [
    {
      id: "fly-sensors",
      type: "circle",
      minzoom: 8,
      paint: {
        "circle-radius": 4,
        "circle-color": [
          "match",
          ["get", "state"],
          "working",
          colour("paper"),
          "unknown",
          colour("soft"),
          colour("bad"),
        ],
        "circle-stroke-color": colour("soft"),
        "circle-stroke-width": 2,
      },
    },
    {
      id: "fly-sensor-words",
      type: "symbol",
      minzoom: 11,
      filter: ["has", "word"],
      layout: {
        "text-field": ["get", "word"],
        "text-font": FONT,
        "text-size": 12,
        "text-anchor": "left",
        "text-offset": [0.8, 0],
        "text-optional": true,
      },
      paint: { "text-color": colour("ink"), "text-halo-color": colour("paper"), "text-halo-width": 1.5 },
    },
  ];
}

export function cuesOf(cues: Iterable<Cue>, now: number): FeatureCollection {
  return collection([...cues].map((each) => point(each.id, each.at, { kind: each.kind, fresh: isFresh(each, now) })));
}

export function isFresh(cue: Cue, now: number): boolean {
  return now - Date.parse(cue.time) < FRESH_MS;
}

export function cueLayers(): DrawnLayer[] {
  const strength: DataDrivenPropertyValueSpecification<number> = ["case", ["get", "fresh"], 1, 0.45];
  return [
    {
      id: "fly-cues",
      type: "circle",
      paint: {
        "circle-radius": 6,
        "circle-color": colour("warn"),
        "circle-opacity": strength,
        "circle-stroke-color": colour("paper"),
        "circle-stroke-width": 2,
      },
    },
  ];
}

export function crossingsOf(crossings: Iterable<Crossing>): FeatureCollection {
  return collection([...crossings].map((each) => point(each.id, each.at, { kind: each.kind, status: each.status })));
}

export function crossingLayers(): DrawnLayer[] {
  const single: ExpressionSpecification = ["!", ["has", "point_count"]];
  return [
    {
      id: "fly-crossing-groups",
      type: "circle",
      filter: ["has", "point_count"],
      paint: {
        "circle-color": colour("raised"),
        "circle-opacity": 0.9,
        "circle-stroke-color": colour("crossing"),
        "circle-stroke-width": 2,
        "circle-radius": ["step", ["get", "point_count"], 12, 50, 15, 500, 19],
      },
    },
    {
      id: "fly-crossing-counts",
      type: "symbol",
      filter: ["has", "point_count"],
      layout: {
        "text-field": ["get", "point_count_abbreviated"],
        "text-font": FONT,
        "text-size": 12,
        "text-allow-overlap": true,
        "text-ignore-placement": true,
      },
      paint: { "text-color": colour("ink") },
    },
    {
      id: "fly-crossings",
      type: "circle",
      filter: single,
      paint: {
        "circle-radius": 5,
        // Hollow until it is certain: not by colour alone.
        "circle-color": ["case", ["==", ["get", "status"], "confirmed"], colour("crossing"), colour("paper")],
        "circle-stroke-color": colour("crossing"),
        "circle-stroke-width": 2,
      },
    },
  ];
}

export function lineLayers(): DrawnLayer[] {
  const doubling: ExpressionSpecification = [
    "interpolate",
    ["exponential", 2],
    ["zoom"],
    0,
    ["get", "wide"],
    24,
    ["*", ["get", "wide"], 2 ** 24],
  ];
  return [
    {
      id: "fly-stand-off",
      type: "line",
      filter: isPart("border"),
      layout: { "line-join": "round" },
      paint: { "line-color": colour("bad"), "line-opacity": 0.16, "line-width": doubling },
    },
    {
      id: "fly-border",
      type: "line",
      filter: isPart("border"),
      layout: { "line-join": "round" },
      paint: { "line-color": colour("bad"), "line-width": 2, "line-dasharray": [6, 2] },
    },
    {
      id: "fly-footprints",
      type: "fill",
      filter: isPart("footprint"),
      paint: { "fill-color": colour("own"), "fill-opacity": 0.14, "fill-outline-color": colour("own") },
    },
    {
      id: "fly-ways",
      type: "line",
      filter: isPart("way"),
      paint: { "line-color": colour("soft"), "line-width": 1.5, "line-dasharray": [3, 3] },
    },
    {
      id: "fly-trails",
      type: "line",
      filter: isPart("trail"),
      layout: { "line-join": "round", "line-cap": "round" },
      paint: {
        "line-color": colour("own"),
        "line-width": ["case", ["get", "chosen"], 3, 1.5],
        "line-opacity": ["case", ["get", "chosen"], 0.9, 0.5],
      },
    },
  ];
}

function isPart(part: string): FilterSpecification {
  return ["==", ["get", "part"], part];
}

export function vehicleLayers(): DrawnLayer[] {
  return [
    {
      id: "fly-rings",
      type: "circle",
      filter: ["any", ["get", "chosen"], ["get", "alarmed"]],
      paint: {
        "circle-radius": 24,
        "circle-color": colour("own"),
        "circle-opacity": ["case", ["get", "chosen"], 0.2, 0],
        "circle-stroke-color": ["case", ["get", "alarmed"], colour("bad"), colour("ink")],
        "circle-stroke-width": ["case", ["get", "alarmed"], 3, 2],
      },
    },
    {
      // Below the symbols, which are placed first: a label gives way to them and to other labels, a symbol to none.
      id: "fly-labels",
      type: "symbol",
      minzoom: 7,
      layout: {
        "text-field": ["get", "label"],
        "text-font": FONT,
        "text-size": 12,
        "text-anchor": "left",
        "text-justify": "left",
        "text-offset": [2.6, 0],
        "text-max-width": 30,
        "text-optional": true,
        "symbol-sort-key": ["case", ["get", "chosen"], 0, ["get", "alarmed"], 1, ["get", "old"], 3, 2],
      },
      paint: { "text-color": colour("ink"), "text-halo-color": colour("paper"), "text-halo-width": 1 }, // wider, and every letter is drawn twice,
    },
    {
      id: "fly-headings",
      type: "symbol",
      filter: ["has", "heading"],
      layout: {
        "icon-image": "own-heading",
        // An image as large as the way around the symbol would be mostly empty, and that is drawn too.
        "icon-offset": [0, -23],
        "icon-rotate": ["get", "heading"],
        "icon-rotation-alignment": "map",
        "icon-allow-overlap": true,
        "icon-ignore-placement": true,
      },
    },
    {
      id: "fly-vehicles",
      type: "symbol",
      layout: {
        "icon-image": ["get", "look"],
        "icon-allow-overlap": true,
      },
      // The standard's broken frame of what is old cannot be seen on a dark map.
      paint: { "icon-opacity": ["case", ["get", "old"], 0.5, 1] },
    },
  ];
}
