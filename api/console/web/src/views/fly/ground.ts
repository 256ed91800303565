/** Short distances on the ground; degrees in, metres out. Good to a few per mille over tens of kilometres. */

import type { Position } from "geojson";
import type { Segment } from "./records";

const DEGREE_M = 111_195; // of a great circle on a sphere of 6371.0088 km
const HALF_TURN = Math.PI / 180;

/** East and north of `to` from `from`, metres. */
export function offset(from: Position, to: Position): [number, number] {
  const [lon0 = 0, lat0 = 0] = from;
  const [lon1 = 0, lat1 = 0] = to;
  const turned = ((lon1 - lon0 + 540) % 360) - 180; // over the 180th meridian the short way
  return [turned * DEGREE_M * Math.cos(((lat0 + lat1) / 2) * HALF_TURN), (lat1 - lat0) * DEGREE_M];
}

/** Metres between two places. */
export function distance(from: Position, to: Position): number {
  return Math.hypot(...offset(from, to));
}

/** The place that lies so many metres east and north. */
export function moved(from: Position, east: number, north: number): Position {
  const [lon = 0, lat = 0] = from;
  return [lon + east / (DEGREE_M * Math.max(0.01, Math.cos(lat * HALF_TURN))), lat + north / DEGREE_M];
}

/** A line that is further off than this, in metres, says nothing of the side. */
const FAR_M = 5000;
const FAR_DEG = 0.1;

/** How a place lies to a stretch of the border. */
export interface Standing {
  /** Metres to the line. */
  distance: number;
  /** Whether it is on the far side. */
  across: boolean;
}

/**
 * How `place` lies to the line of a segment, as far as that matters: null where it is clear of the stand-off.
 *
 * A place beyond the ends of the line is on neither side.
 */
export function standing(place: Position, segment: Segment): Standing | null {
  const [lon = 0, lat = 0] = place;
  const [west, south, east, north] = segment.box;
  const wide = FAR_DEG / Math.max(0.05, Math.cos(lat * HALF_TURN));
  if (lon < west - wide || lon > east + wide || lat < south - FAR_DEG || lat > north + FAR_DEG) return null;
  let nearest: { distance: number; side: number; inside: boolean } | null = null;
  for (let i = 1; i < segment.line.length; i += 1) {
    const a = segment.line[i - 1];
    const b = segment.line[i];
    if (a === undefined || b === undefined) continue;
    const found = edge(place, a, b);
    if (nearest === null || found.distance < nearest.distance) nearest = found;
  }
  if (nearest === null) return null;
  const across = nearest.inside && nearest.distance < FAR_M && nearest.side * (segment.ownSide === "left" ? 1 : -1) < 0;
  return across || nearest.distance < segment.standOff ? { distance: nearest.distance, across } : null;
}

function edge(place: Position, a: Position, b: Position): { distance: number; side: number; inside: boolean } {
  const [ex, ey] = offset(a, b);
  const [px, py] = offset(a, place);
  const length = ex * ex + ey * ey;
  const along = length === 0 ? 0 : (px * ex + py * ey) / length;
  const held = Math.min(1, Math.max(0, along));
  return {
    distance: Math.hypot(px - held * ex, py - held * ey),
    side: ex * py - ey * px,
    inside: along >= 0 && along <= 1,
  };
}
