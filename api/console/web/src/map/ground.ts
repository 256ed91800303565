/** Short distances on the ground; degrees (longitude, latitude, WGS 84) in, metres out. */

import type { Position } from "geojson";

/** Metres of a degree of a great circle, on a sphere of 6371.0088 km. */
export const DEGREE_M = 111_195;

/** Metres east of a degree of longitude at that latitude; never so few that one cannot divide by them. */
export function degreeEastM(lat: number): number {
  return DEGREE_M * Math.max(0.01, Math.cos((lat * Math.PI) / 180));
}

/** Degrees of longitude, the short way round. */
export function turned(degrees: number): number {
  return ((((degrees + 180) % 360) + 360) % 360) - 180;
}

/** East and north of `to` from `from`, metres; good to a few per mille over tens of kilometres. */
export function offset(from: Position, to: Position): [number, number] {
  const [lon0 = 0, lat0 = 0] = from;
  const [lon1 = 0, lat1 = 0] = to;
  return [turned(lon1 - lon0) * degreeEastM((lat0 + lat1) / 2), (lat1 - lat0) * DEGREE_M];
}

/** Metres between two places. */
export function distance(from: Position, to: Position): number {
  return Math.hypot(...offset(from, to));
}

/** The place that lies so many metres east and north. */
export function moved(from: Position, east: number, north: number): Position {
  const [lon = 0, lat = 0] = from;
  return [lon + east / degreeEastM(lat), lat + north / DEGREE_M];
}
