/** Borders, bases and zones from files of other programs: GeoJSON and KML. */

import type { FeatureCollection, Geometry, Position } from "geojson";
import { type Datum, type Draft, newBase, newLine, newZone, type Point, type Zone } from "./draft";

/** A file that cannot be used, and why. */
export class ImportError extends Error {}

/** A shape of a file, and what it says of it; names in lower case. */
interface Shape {
  geometry: Geometry;
  says: Record<string, unknown>;
}

/**
 * What a file adds to a draft: its lines are borders, its polygons zones, its points bases.
 *
 * @throws {ImportError} when it is neither, or holds nothing of use
 */
export function importInto(draft: Draft, fileName: string, text: string): Draft {
  const shapes = /^\s*</.test(text) ? kmlShapes(text) : geojsonShapes(text);
  const stem = fileName.replace(/\.[^.]*$/, "");
  const after: Draft = { ...draft, lines: [...draft.lines], bases: [...draft.bases], zones: [...draft.zones] };
  for (const { geometry, says } of shapes) take(after, geometry, says, stem);
  const added = (["lines", "bases", "zones"] as const).some((of) => after[of].length > draft[of].length);
  if (!added) throw new ImportError("no lines, polygons or points");
  return after.lines.length > draft.lines.length ? { ...after, border: "drawn" } : after;
}

function take(draft: Draft, geometry: Geometry, says: Shape["says"], stem: string): void {
  const name = word(says.name);
  switch (geometry.type) {
    case "LineString": {
      const line = newLine(draft, geometry.coordinates.map(pointOf), name || stem);
      draft.lines.push({ ...line, ownSide: says.own_side === "right" ? "right" : "left" });
      break;
    }
    case "MultiLineString":
      for (const coordinates of geometry.coordinates) take(draft, { type: "LineString", coordinates }, says, stem);
      break;
    case "Polygon":
      draft.zones.push({ ...newZone(draft, (geometry.coordinates[0] ?? []).map(pointOf), name), ...heightsOf(says) });
      break;
    case "MultiPolygon":
      for (const coordinates of geometry.coordinates) take(draft, { type: "Polygon", coordinates }, says, stem);
      break;
    case "Point":
      draft.bases.push(newBase(draft, pointOf(geometry.coordinates), name));
      break;
    case "MultiPoint":
      for (const coordinates of geometry.coordinates) take(draft, { type: "Point", coordinates }, says, stem);
      break;
    case "GeometryCollection":
      for (const each of geometry.geometries) take(draft, each, says, stem);
      break;
  }
}

function heightsOf(says: Shape["says"]): Partial<Zone> {
  const datum = (value: unknown): Datum => (word(value).toUpperCase() === "AMSL" ? "AMSL" : "AGL");
  return {
    kind: says.kind === "limits" ? "limits" : "no_fly",
    floorM: figure(says.floor_m),
    floorDatum: datum(says.floor_datum),
    ceilingM: figure(says.ceiling_m),
    ceilingDatum: datum(says.ceiling_datum),
  };
}

const word = (value: unknown): string => (typeof value === "string" ? value.trim() : "");

function figure(value: unknown): number | null {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : null;
}

/** Seven digits are a centimetre. */
function pointOf([lon, lat]: Position): Point {
  const good = (degrees: number | undefined, most: number): degrees is number =>
    typeof degrees === "number" && Math.abs(degrees) <= most;
  if (!good(lon, 180) || !good(lat, 90)) throw new ImportError(`no longitude and latitude in degrees: ${lon}, ${lat}`);
  return [Number(lon.toFixed(7)), Number(lat.toFixed(7))];
}

function geojsonShapes(text: string): Shape[] {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    throw new ImportError("neither GeoJSON nor KML");
  }
  if (typeof read !== "object" || read === null || !("type" in read)) throw new ImportError("no GeoJSON");
  const found = read as FeatureCollection | FeatureCollection["features"][number] | Geometry;
  const features =
    found.type === "FeatureCollection"
      ? found.features
      : [found.type === "Feature" ? found : { type: "Feature" as const, geometry: found, properties: null }];
  if (!Array.isArray(features)) throw new ImportError("a FeatureCollection without features");
  return features.flatMap(({ geometry, properties }) =>
    geometry == null ? [] : [{ geometry, says: lowered(Object.entries(properties ?? {})) }],
  );
}

function lowered(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), value]));
}

function kmlShapes(text: string): Shape[] {
  const read = new DOMParser().parseFromString(text, "application/xml");
  if (read.querySelector("parsererror") !== null) throw new ImportError("broken XML");
  return all(read, "Placemark").flatMap((placemark) => {
    const data: [string, unknown][] = [
      ...all(placemark, "Data").map((each): [string, unknown] => [
        each.getAttribute("name") ?? "",
        textOf(each, "value"),
      ]),
      ...all(placemark, "SimpleData").map((each): [string, unknown] => [
        each.getAttribute("name") ?? "",
        each.textContent?.trim(),
      ]),
    ];
    const says = lowered([["name", textOf(placemark, "name")], ...data]);
    return [
      ...all(placemark, "LineString").map((each): Geometry => ({ type: "LineString", coordinates: way(each) })),
      ...all(placemark, "Polygon").map(
        (each): Geometry => ({
          type: "Polygon",
          coordinates: [way(all(each, "outerBoundaryIs")[0] ?? each)],
        }),
      ),
      ...all(placemark, "Point").map((each): Geometry => ({ type: "Point", coordinates: way(each)[0] ?? [] })),
    ].map((geometry) => ({ geometry, says }));
  });
}

const all = (within: Document | Element, name: string): Element[] => [...within.getElementsByTagNameNS("*", name)];
const textOf = (within: Element, name: string): string => all(within, name)[0]?.textContent?.trim() ?? "";

function way(element: Element): Position[] {
  const tuples = textOf(element, "coordinates").split(/\s+/).filter(Boolean);
  return tuples.map((tuple) => tuple.split(",").map(Number));
}
