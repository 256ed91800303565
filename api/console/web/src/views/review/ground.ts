/** The ground track in time, and shapes on the ground; degrees, WGS 84, and metres. */

import type { Feature, FeatureCollection, Position } from "geojson";
import { moved } from "../../map/ground";
import type { Ellipse, TrackPoint } from "./crossing";

const CORNERS = 48;

/**
 * Where it was: between two points of the track in a straight line.
 *
 * @param at milliseconds since the Unix epoch
 * @returns null before the first point and after the last
 */
export function whereAt(track: readonly TrackPoint[], at: number): TrackPoint | null {
  const next = track.findIndex((point) => point.at >= at);
  const [before, after] = [track[next - 1], track[next]];
  if (after === undefined) return null;
  if (after.at === at) return after;
  if (before === undefined) return null;
  const share = (at - before.at) / (after.at - before.at);
  const between = (a: number, b: number) => a + (b - a) * share;
  return {
    at,
    lat: between(before.lat, after.lat),
    lon: between(before.lon, after.lon),
    sigma: between(before.sigma, after.sigma),
  };
}

/** The way up to a moment, with where it was then at its end. */
export function wayUntil(track: readonly TrackPoint[], at: number): Position[] {
  const here = whereAt(track, at);
  const past = track.filter((point) => point.at < at);
  return [...past, ...(here === null ? [] : [here])].map((point) => [point.lon, point.lat]);
}

/** The outline of an ellipse around a place. */
export function outline(lat: number, lon: number, { major, minor, orientation }: Ellipse): Position[] {
  const turn = (orientation * Math.PI) / 180;
  return Array.from({ length: CORNERS + 1 }, (_, corner) => {
    const angle = (2 * Math.PI * corner) / CORNERS;
    const [along, across] = [major * Math.cos(angle), minor * Math.sin(angle)];
    const east = along * Math.sin(turn) + across * Math.cos(turn);
    const north = along * Math.cos(turn) - across * Math.sin(turn);
    return moved([lon, lat], east, north);
  });
}

/** West, south, east, north of a place and some metres around it. */
export function boxAround(lat: number, lon: number, metres: number): [number, number, number, number] {
  const [west = lon, south = lat] = moved([lon, lat], -metres, -metres);
  const [east = lon, north = lat] = moved([lon, lat], metres, metres);
  return [west, south, east, north];
}

/** Features as a map takes them. */
export function collected(...features: readonly (Feature | null)[]): FeatureCollection {
  return { type: "FeatureCollection", features: features.filter((each) => each !== null) };
}

/** A line as a Feature; null where it is none. */
export function lineOf(coordinates: Position[]): Feature | null {
  if (coordinates.length < 2) return null;
  return { type: "Feature", properties: {}, geometry: { type: "LineString", coordinates } };
}
