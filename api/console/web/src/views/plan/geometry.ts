/** Lengths and rings of what is drawn. */

import type { Point } from "./draft";

/** Mean radius of the Earth, metres. */
const RADIUS_M = 6_371_008.8;
const RADIANS = Math.PI / 180;

/** Metres between two places on a sphere. */
export function distanceM([lon1, lat1]: Point, [lon2, lat2]: Point): number {
  const h =
    Math.sin(((lat2 - lat1) * RADIANS) / 2) ** 2 +
    Math.cos(lat1 * RADIANS) * Math.cos(lat2 * RADIANS) * Math.sin(((lon2 - lon1) * RADIANS) / 2) ** 2;
  return 2 * RADIUS_M * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** Metres along a way. */
export function lengthM(way: readonly Point[]): number {
  return alongM(way).at(-1) ?? 0;
}

/** Metres along a way at each of its places. */
export function alongM(way: readonly Point[]): number[] {
  let sum = 0;
  return way.map((place, number) => {
    const before = way[number - 1];
    if (before !== undefined) sum += distanceM(before, place);
    return sum;
  });
}

/** The place so many metres along a way; null on one without places. */
export function placeAt(way: readonly Point[], along: readonly number[], m: number): Point | null {
  const after = along.findIndex((each) => each >= m);
  const [a, b] = [way[Math.max(0, after - 1)], way[after]];
  if (after < 0) return way.at(-1) ?? null;
  if (a === undefined || b === undefined) return b ?? null;
  const [from, till] = [along[Math.max(0, after - 1)] ?? 0, along[after] ?? 0];
  const share = till > from ? (m - from) / (till - from) : 0;
  return [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])];
}

/** Metres along a way at its place nearest to another. */
export function nearestM(way: readonly Point[], along: readonly number[], to: Point): number {
  const across = Math.cos(to[1] * RADIANS);
  let best = { m: 0, far: Number.POSITIVE_INFINITY };
  for (let number = 1; number < way.length; number += 1) {
    const [a, b] = [way[number - 1], way[number]];
    if (a === undefined || b === undefined) continue;
    const [dx, dy] = [(b[0] - a[0]) * across, b[1] - a[1]];
    const [px, py] = [(to[0] - a[0]) * across, to[1] - a[1]];
    const square = dx * dx + dy * dy;
    const share = square === 0 ? 0 : Math.max(0, Math.min(1, (px * dx + py * dy) / square));
    const far = Math.hypot(px - share * dx, py - share * dy);
    const [from, till] = [along[number - 1] ?? 0, along[number] ?? 0];
    if (far < best.far) best = { m: from + share * (till - from), far };
  }
  return best.m;
}

/** A ring of places: closed, none twice in a row; null of fewer than three corners. */
export function ringOf(places: readonly Point[]): Point[] | null {
  const corners = cornersOf(places.filter((place, number) => number === 0 || !same(place, places[number - 1])));
  const [first] = corners;
  return first === undefined || corners.length < 3 ? null : [...corners, first];
}

/** The places of a ring without the first one again at its end, where it is there. */
export function cornersOf(ring: readonly Point[]): Point[] {
  return ring.length > 1 && same(ring[0], ring.at(-1)) ? ring.slice(0, -1) : [...ring];
}

const same = (a: Point | undefined, b: Point | undefined): boolean => a?.[0] === b?.[0] && a?.[1] === b?.[1];
