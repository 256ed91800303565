/** Between the draft and what is drawn of it: the drawing tool holds no shape that it refuses, the draft holds all. */

import type { GeoJSONStoreFeatures } from "terra-draw";
import { type Draft, newBase, newLine, newZone, type Point } from "./draft";
import { ringOf } from "./geometry";

/** What of a draft can be drawn, each in the mode of its kind. */
export function featuresOf({ lines, bases, zones }: Draft): GeoJSONStoreFeatures[] {
  return [
    ...zones.flatMap(({ id, ring }) => {
      const closed = ringOf(ring);
      return closed === null ? [] : [stored(id, "zone", { type: "Polygon", coordinates: [closed] })];
    }),
    ...lines.flatMap(({ id, points }) =>
      points.length < 2 ? [] : [stored(id, "border", { type: "LineString", coordinates: points })],
    ),
    ...bases.map(({ id, at }) => stored(id, "base", { type: "Point", coordinates: at })),
  ];
}

function stored(id: string, mode: string, geometry: GeoJSONStoreFeatures["geometry"]): GeoJSONStoreFeatures {
  return { type: "Feature", id, properties: { mode }, geometry };
}

/**
 * What a drawing changes in a draft; null for nothing.
 *
 * @param drawn what is drawn now
 * @param before ids of what was drawn before: of these alone one that is gone was deleted
 */
export function changesOf(
  draft: Draft,
  drawn: readonly Pick<GeoJSONStoreFeatures, "id" | "geometry">[],
  before: ReadonlySet<string>,
): Partial<Draft> | null {
  const shapes = new Map(drawn.map(({ id, geometry }) => [String(id), geometry]));
  const stays = ({ id }: { id: string }): boolean => shapes.has(id) || !before.has(id);
  const lines = draft.lines.filter(stays).map((line) => {
    const shape = shapes.get(line.id);
    return shape?.type === "LineString" ? { ...line, points: shape.coordinates as Point[] } : line;
  });
  const zones = draft.zones.filter(stays).map((zone) => {
    const shape = shapes.get(zone.id);
    return shape?.type === "Polygon" ? { ...zone, ring: (shape.coordinates[0] ?? []) as Point[] } : zone;
  });
  const bases = draft.bases.filter(stays).map((base) => {
    const shape = shapes.get(base.id);
    return shape?.type === "Point" ? { ...base, at: shape.coordinates as Point } : base;
  });
  const known = new Set([...draft.lines, ...draft.zones, ...draft.bases].map((one) => one.id));
  const next: Draft = { ...draft, lines, zones, bases };
  for (const [id, shape] of shapes) {
    if (known.has(id)) continue;
    if (shape.type === "LineString") {
      next.lines.push(newLine(next, shape.coordinates as Point[], "", id));
      next.border = "drawn";
    } else if (shape.type === "Polygon")
      next.zones.push(newZone(next, (shape.coordinates[0] ?? []) as Point[], "", id));
    else next.bases.push(newBase(next, shape.coordinates as Point, "", id));
  }
  return JSON.stringify(next) === JSON.stringify(draft) ? null : next;
}
