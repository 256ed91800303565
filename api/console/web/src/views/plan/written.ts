/** Places as text, one a line, in the format that the reader likes. */

import { type PlaceFormat, placeText, readPlace } from "../../ui/coordinates";
import type { Point } from "./draft";

export function textOf(points: readonly Point[], format: PlaceFormat): string {
  return points.map((point) => lineOf(point, format)).join("\n");
}

/**
 * The places of a text, or the number of the first line that is none, from 1, and what it says.
 *
 * A format tells a place to a metre or so: a line that reads as one of the places of before is that very place.
 */
export function readPlaces(
  text: string,
  before: readonly Point[],
  format: PlaceFormat,
): { points: Point[] } | { line: number; text: string } {
  const exact = new Map<string, Point[]>();
  for (const point of before) {
    const line = lineOf(point, format);
    exact.set(line, [...(exact.get(line) ?? []), point]);
  }
  const points: Point[] = [];
  for (const [number, line] of text.split("\n").entries()) {
    const said = line.trim();
    if (said === "") continue;
    const old = exact.get(said)?.shift();
    const read = readPlace(said);
    if (old !== undefined) points.push(old);
    else if (read === null) return { line: number + 1, text: said };
    else points.push([Number(read.lon.toFixed(7)), Number(read.lat.toFixed(7))]);
  }
  return { points };
}

const lineOf = ([lon, lat]: Point, format: PlaceFormat): string => placeText(lat, lon, format);
