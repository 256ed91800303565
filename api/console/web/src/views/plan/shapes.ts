/** Shapes of map files of other programs: GeoJSON (RFC 7946) and KML, told alike. What they mean, others say. */

import type { Datum, Point } from "./draft";

/** A file that cannot be used, and why. */
export class ImportError extends Error {}

/** What a file says of a shape; names in lower case, blank texts left out. */
export type Says = Readonly<Record<string, unknown>>;

export interface Shape {
  /** Which one it is, for messages. */
  where: string;
  form: "point" | "line" | "area";
  /** One place, one line, or the outline of an area and then its holes. */
  parts: Point[][];
  says: Says;
  /** Whether every word of it is meant for us: KML is filled with fields of other programs. */
  closed: boolean;
  /** Of an area that KML extrudes from the ground: the lowest and the highest of its corners, metres. */
  top: { low: number; high: number; datum: Datum } | null;
}

const GEOMETRIES: Readonly<Record<string, readonly [Shape["form"], number]>> = {
  Point: ["point", 0],
  MultiPoint: ["point", 1],
  LineString: ["line", 1],
  MultiLineString: ["line", 2],
  Polygon: ["area", 2],
  MultiPolygon: ["area", 3],
};
/** How deep the lists of places are in one shape of each form. */
const DEPTHS = { point: 0, line: 1, area: 2 } as const;
const WGS84 = [
  ...["urn:ogc:def:crs:ogc:1.3:crs84", "urn:ogc:def:crs:ogc::crs84", "ogc:crs84", "urn:ogc:def:crs:ogc::crs84h"],
  ...["urn:ogc:def:crs:epsg::4326", "epsg:4326", "urn:ogc:def:crs:epsg::4979", "epsg:4979"],
];

/**
 * The shapes of a GeoJSON text: of features, of one, or a bare geometry.
 *
 * @throws {ImportError} when it is none, is not in degrees of WGS 84, or a feature has no geometry that is understood:
 *   what is left out may be a zone, and then it is flown into
 */
export function geojsonShapes(text: string): Shape[] {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    throw new ImportError("it is neither GeoJSON nor KML");
  }
  if (!isObject(read) || typeof read.type !== "string") throw new ImportError("it is no GeoJSON");
  checkSystem(read, "the file");
  if (read.type === "Feature") return featureShapes(read, "the feature");
  if (read.type !== "FeatureCollection") return geometryShapes(read, { where: "the geometry", says: {} });
  if (!Array.isArray(read.features)) throw new ImportError("it is a FeatureCollection without features");
  return read.features.flatMap((feature: unknown, place) => featureShapes(feature, `feature ${place + 1}`));
}

function featureShapes(feature: unknown, where: string): Shape[] {
  if (!isObject(feature) || feature.type !== "Feature") throw new ImportError(`${where} is no Feature`);
  const { properties, geometry } = feature;
  if (properties != null && !isObject(properties)) throw new ImportError(`${where} has properties that are no object`);
  const says = lowered(Object.entries(properties ?? {}));
  const named = `${where}${typeof says.name === "string" ? ` (${says.name})` : ""}`;
  checkSystem(feature, named);
  if (geometry == null) throw new ImportError(`${named} has no geometry: draw it, or delete it`);
  return geometryShapes(geometry, { where: named, says });
}

function geometryShapes(geometry: unknown, of: { where: string; says: Says }): Shape[] {
  const { where } = of;
  if (!isObject(geometry)) throw new ImportError(`${where} has a geometry that is none`);
  checkSystem(geometry, where);
  if (geometry.type === "GeometryCollection")
    return listOf(geometry.geometries, where).flatMap((each) => geometryShapes(each, of));
  const known = GEOMETRIES[String(geometry.type)];
  if (known === undefined) throw new ImportError(`${where}: its geometry ${String(geometry.type)} is not understood`);
  const [form, depth] = known;
  const each = depth > DEPTHS[form] ? listOf(geometry.coordinates, where) : [geometry.coordinates];
  return each.map((coordinates) => ({
    ...of,
    form,
    parts: partsOf(form, coordinates, where),
    closed: true,
    top: null,
  }));
}

function partsOf(form: Shape["form"], coordinates: unknown, where: string): Point[][] {
  switch (form) {
    case "point":
      return [[pointOf(coordinates, where)]];
    case "line":
      return [listOf(coordinates, where).map((each) => pointOf(each, where))];
    case "area":
      return listOf(coordinates, where).map((ring) => listOf(ring, where).map((each) => pointOf(each, where)));
  }
}

/** A place of a file; seven digits are a centimetre. Throws {@link ImportError} when it is none. */
export function pointOf(value: unknown, where: string): Point {
  const [lon, lat] = Array.isArray(value) ? (value as unknown[]) : [];
  const good = (degrees: unknown, most: number): degrees is number =>
    typeof degrees === "number" && Math.abs(degrees) <= most;
  if (!good(lon, 180) || !good(lat, 90))
    throw new ImportError(`${where}: ${JSON.stringify(value)} is no longitude and latitude in degrees`);
  return [Number(lon.toFixed(7)), Number(lat.toFixed(7))];
}

/** Files of before RFC 7946 may name a system of their own. */
function checkSystem({ crs }: Says, where: string): void {
  if (crs == null) return;
  const named = isObject(crs) && isObject(crs.properties) ? crs.properties.name : undefined;
  if (typeof named !== "string" || !WGS84.includes(named.toLowerCase()))
    throw new ImportError(`${where} is in the coordinate system ${JSON.stringify(named ?? crs)}: convert it to WGS 84`);
}

/** Properties by their names in lower case, but for blank ones. */
export function lowered(entries: Iterable<readonly [string, unknown]>): Says {
  const told = [...entries].filter(([, value]) => value != null && !(typeof value === "string" && value.trim() === ""));
  return Object.fromEntries(told.map(([name, value]) => [name.toLowerCase(), value]));
}

function listOf(value: unknown, where: string): unknown[] {
  if (!Array.isArray(value) || value.length === 0) throw new ImportError(`${where} lacks a list of places`);
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
