/** On which side of the border a place lies, and how near. Where that is in doubt, the alarm that holds goes on. */

import type { Position } from "geojson";
import { DEGREE_M, degreeEastM, turned } from "../../map/ground";
import type { Segment } from "./records";

/** An alarm begins within this of the line alone, in metres: what flies further off is hardly of this border. */
const FAR_M = 20_000;

/** How a place lies to the line of a segment. */
export interface Lie {
  /** Metres to the line. */
  distance: number;
  /** Positive on its own side, negative on the far one; metres, save at corners. */
  own: number;
  /** Whether the nearest of the line is one of its two ends. There the end is thought on straight. */
  beyond: boolean;
}

/** Ends of two segments that are nearer to each other than this are one corner; metres. */
const JOINT_M = 1;

/** How a place lies to the whole border. */
export interface Standing {
  /** On the far side. */
  across: { metres: number } | null;
  /** On its own side, or beyond the ends, and nearer than it may be. */
  near: { metres: number; least: number } | null;
}

/**
 * How a place lies to the border. The nearest line decides on the side.
 *
 * @param was whether it was on the far side before: then beyond the ends, or far away, it is so until a line says that
 *   it is on its own side. Otherwise a place there is on neither side.
 */
export function standing(place: Position, segments: readonly Segment[], was: boolean): Standing {
  const all = segments
    .filter((segment) => was || reaches(segment, place))
    .flatMap((segment) => {
      const lie = lieOf(place, segment);
      return lie === null ? [] : [{ ...lie, least: segment.standOff }];
    })
    .sort((a, b) => a.distance - b.distance);
  const [nearest, next] = all;
  if (nearest !== undefined) {
    // Where two segments meet, neither may be beyond its end alone: they are a corner of one line.
    const meet = nearest.beyond && next?.beyond === true && next.distance - nearest.distance < JOINT_M;
    const far = nearest.own + (meet ? next.own : 0) <= 0 && nearest.distance > 0;
    const counts = was || ((meet || !nearest.beyond) && nearest.distance < FAR_M);
    if (far && counts) return { across: { metres: nearest.distance }, near: null };
  }
  const near = all.find((each) => each.distance < each.least);
  return { across: null, near: near === undefined ? null : { metres: near.distance, least: near.least } };
}

/** Whether the place is near enough for the line to say anything: a box is soon looked at. */
function reaches({ box, standOff }: Segment, [lon = 0, lat = 0]: Position): boolean {
  const [west, south, east, north] = box;
  const metres = Math.max(FAR_M, standOff);
  const [wide, high] = [metres / degreeEastM(lat), metres / DEGREE_M];
  if (lat < south - high || lat > north + high) return false;
  return [lon - 360, lon, lon + 360].some((each) => each >= west - wide && each <= east + wide);
}

/** How a place lies to a line; null for a line that is none. A line that comes back to where it began has no ends. */
export function lieOf(place: Position, { line, ownSide }: Pick<Segment, "line" | "ownSide">): Lie | null {
  const edges = edgesOf(place, line);
  const at = edges.reduce((best, each, i) => (each.distance < (edges[best]?.distance ?? 0) ? i : best), 0);
  const edge = edges[at];
  const [first, last] = [edges[0], edges.at(-1)];
  if (edge === undefined || first === undefined || last === undefined) return null;
  const ring = Math.hypot(first.a[0] - last.b[0], first.a[1] - last.b[1]) < 1e-6;
  // At a corner each of its two edges may say something else: the side is that of the sum of their normals.
  const other = edge.share === 0 ? (edges[at - 1] ?? (ring ? last : null)) : (edges[at + 1] ?? (ring ? first : null));
  const corner = edge.share === 0 || edge.share === 1;
  const [nx, ny] = corner && other !== null ? plus(edge.normal, other.normal) : edge.normal;
  const [fx, fy] = edge.share === 1 ? edge.b : edge.a;
  const left = -(fx * nx + fy * ny); // the place is the origin
  return { distance: edge.distance, own: ownSide === "left" ? left : -left, beyond: corner && other === null };
}

type Pair = readonly [number, number];

interface Edge {
  a: Pair;
  b: Pair;
  /** Where on it the nearest of it is: 0 at its beginning, 1 at its end. */
  share: number;
  distance: number;
  /** To its left, of length one. */
  normal: Pair;
}

/** The edges of a line, metres from the place. One plane for all: what is straight in degrees is straight in it. */
function edgesOf([lon = 0, lat = 0]: Position, line: readonly Position[]): Edge[] {
  const east = degreeEastM(lat);
  const flat = line.map(([x = 0, y = 0]): Pair => [turned(x - lon) * east, (y - lat) * DEGREE_M]);
  return flat.slice(1).flatMap((b, i) => {
    const a = flat[i] ?? b;
    const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
    const length = Math.hypot(dx, dy);
    if (length === 0) return [];
    const share = Math.min(1, Math.max(0, -(a[0] * dx + a[1] * dy) / length ** 2));
    const distance = share === 1 ? Math.hypot(...b) : Math.hypot(a[0] + share * dx, a[1] + share * dy);
    return [{ a, b, share, distance, normal: [-dy / length, dx / length] as const }];
  });
}

function plus([ax, ay]: Pair, [bx, by]: Pair): Pair {
  return [ax + bx, ay + by];
}
