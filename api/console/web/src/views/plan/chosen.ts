/** What of the plan is looked at: the same on the map, in the lists and in the charts. */

import { signal } from "@preact/signals";
import type { Point } from "./draft";

export type Tool = "select" | "border" | "base" | "zone";

/** What the pointer does on the map. */
export const tool = signal<Tool>("select");
/** Id of the line, base or zone that is being changed. */
export const picked = signal<string | null>(null);
/** Name of the sortie that stands out. */
export const sortie = signal<string | null>(null);
/** The place of a sortie that is pointed at, in the height profile or on the map: metres flown. */
export const pointedM = signal<number | null>(null);
/** Where that is. */
export const pointedAt = signal<Point | null>(null);

export const LAYERS = ["ways", "revisit", "footprint", "bands", "fences", "gaps"] as const;
export type Layer = (typeof LAYERS)[number];

/** The layers of the result that are shown. */
export const shownLayers = signal<ReadonlySet<Layer>>(new Set<Layer>(["ways", "revisit", "bands", "gaps"]));

/** Show a layer, or no longer. */
export function toggle(layer: Layer): void {
  const after = new Set(shownLayers.value);
  if (!after.delete(layer)) after.add(layer);
  shownLayers.value = after;
}
