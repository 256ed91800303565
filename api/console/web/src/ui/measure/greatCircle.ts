/** Great circles on a sphere; degrees (longitude, latitude, WGS 84) in. The ellipsoid differs by half a percent at most. */

import type { Position } from "geojson";

/** Mean radius of the earth, metres. */
const RADIUS_M = 6_371_008.8;
/** Between the points that a way is drawn by. */
const STEP_M = 20_000;

const rad = (degrees: number): number => (degrees * Math.PI) / 180;
const deg = (radians: number): number => (radians * 180) / Math.PI;

type Vector = readonly [number, number, number];

function vector([lon = 0, lat = 0]: Position): Vector {
  const across = Math.cos(rad(lat));
  return [across * Math.cos(rad(lon)), across * Math.sin(rad(lon)), Math.sin(rad(lat))];
}

const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

/** Radians between two places as the earth's middle sees them; exact for short ways and for opposite places. */
function angle(from: Position, to: Position): number {
  const [a, b] = [vector(from), vector(to)];
  const cross = Math.hypot(a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]);
  return Math.atan2(cross, dot(a, b));
}

/** Metres between two places. */
export function metresBetween(from: Position, to: Position): number {
  return RADIUS_M * angle(from, to);
}

/** The bearing at which one sets out for a place; degrees from true north, 0 to 360. */
export function bearingTo(from: Position, to: Position): number {
  const [lon0 = 0, lat0 = 0] = from;
  const [lon1 = 0, lat1 = 0] = to;
  const turn = rad(lon1 - lon0);
  const east = Math.sin(turn) * Math.cos(rad(lat1));
  const north = Math.cos(rad(lat0)) * Math.sin(rad(lat1)) - Math.sin(rad(lat0)) * Math.cos(rad(lat1)) * Math.cos(turn);
  return (deg(Math.atan2(east, north)) + 360) % 360;
}

/** The way between two places, in points so close that a map may draw straight lines; it goes on over the antimeridian. */
export function wayBetween(from: Position, to: Position): Position[] {
  const whole = angle(from, to);
  const steps = Math.max(1, Math.ceil((whole * RADIUS_M) / STEP_M));
  const [a, b] = [vector(from), vector(to)];
  const way: Position[] = [from];
  for (let step = 1; step <= steps; step += 1) {
    const share = step / steps;
    const [one, other] =
      whole === 0
        ? [1, 0]
        : [Math.sin((1 - share) * whole) / Math.sin(whole), Math.sin(share * whole) / Math.sin(whole)];
    const [x, y, z] = [0, 1, 2].map((i) => one * (a[i] ?? 0) + other * (b[i] ?? 0)) as [number, number, number];
    const before = way.at(-1)?.[0] ?? 0;
    const lon = deg(Math.atan2(y, x));
    way.push([lon + 360 * Math.round((before - lon) / 360), deg(Math.atan2(z, Math.hypot(x, y)))]);
  }
  return way;
}
