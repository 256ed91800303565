/** Boxes of tracks by time (`overlay.json` of the evidence), for whatever picture of the clip is shown. */

import { list, members, number, text } from "../../api/feature";

/** Pixels of the clip's picture; `at` in milliseconds since the Unix epoch. */
export interface Box {
  at: number;
  x1: number;
  y1: number;
  x2: number;
  y2: number;
  /** 0 to 1. */
  score: number;
}

export interface BoxTrack {
  number: number;
  kind: string;
  /** In order of time. */
  boxes: readonly Box[];
}

/** A detector may miss something for so long without its box being drawn as lost, milliseconds. */
const LONGEST_GAP = 1500;

/** The tracks in a record of boxes; what is not one is left out. */
export function tracksOf(told: unknown): BoxTrack[] {
  return list(members(told).tracks).map((each, place) => {
    const track = members(each);
    const boxes = list(track.boxes).flatMap(boxOf);
    return {
      number: number(track.number) ?? place,
      kind: text(track.kind) ?? "",
      boxes: boxes.toSorted((a, b) => a.at - b.at),
    };
  });
}

/** Where the box is at a moment, between the detections before and after it; null where there is none near. */
export function boxAt({ boxes }: BoxTrack, at: number): Box | null {
  const next = boxes.findIndex((box) => box.at >= at);
  const [before, after] = [boxes[next - 1], boxes[next]];
  if (after !== undefined && after.at === at) return after;
  if (before === undefined || after === undefined || after.at - before.at > LONGEST_GAP) return null;
  const share = (at - before.at) / (after.at - before.at);
  const between = (a: number, b: number) => a + (b - a) * share;
  return {
    at,
    x1: between(before.x1, after.x1),
    y1: between(before.y1, after.y1),
    x2: between(before.x2, after.x2),
    y2: between(before.y2, after.y2),
    score: between(before.score, after.score),
  };
}

/** The box nearest to a moment, of any track. */
export function nearestBox(tracks: readonly BoxTrack[], at: number): Box | null {
  let nearest: Box | null = null;
  for (const box of tracks.flatMap((track) => track.boxes)) {
    if (nearest === null || Math.abs(box.at - at) < Math.abs(nearest.at - at)) nearest = box;
  }
  return nearest;
}

function boxOf(told: unknown): Box[] {
  const box = members(told);
  const at = number(box.time_us);
  const [x1, y1, x2, y2] = [number(box.x1), number(box.y1), number(box.x2), number(box.y2)];
  if (at === null || x1 === null || y1 === null || x2 === null || y2 === null) return [];
  return [{ at: at / 1000, x1, y1, x2, y2, score: number(box.score) ?? 0 }];
}
