/** What is being measured on the map of a view. */

import { computed, signal } from "@preact/signals";
import type { Position } from "geojson";
import { language } from "../../app/preferences";
import { browserStore } from "../../app/store";
import { bearingTo, metresBetween } from "./greatCircle";

export const UNITS = ["m", "km", "nm"] as const;
export type Unit = (typeof UNITS)[number];

const NAME = "vedette.distance";
const METRES: Readonly<Record<Unit, number>> = { m: 1, km: 1000, nm: 1852 };

/** Whether a click on the map is a point of what is measured, and of nothing else. */
export const measuring = signal(false);
/** Longitude, latitude; degrees. */
export const points = signal<readonly Position[]>([]);
export const unit = signal<Unit>(UNITS.find((each) => each === browserStore.getItem(NAME)) ?? "km");

export interface Leg {
  metres: number;
  /** Degrees from true north, where one sets out. */
  bearing: number;
}

export const legs = computed<readonly Leg[]>(() =>
  points.value.slice(1).map((to, i) => {
    const from = points.value[i] ?? to;
    return { metres: metresBetween(from, to), bearing: bearingTo(from, to) };
  }),
);

export function toggleMeasuring(): void {
  measuring.value = !measuring.peek();
  points.value = [];
}

/** @param at beyond the antimeridian a map goes on counting: 190° is 170° west */
export function addPoint([lon = 0, lat = 0]: Position): void {
  points.value = [...points.peek(), [lon - 360 * Math.round(lon / 360), lat]];
}

export function takeLast(): void {
  points.value = points.peek().slice(0, -1);
}

export function choose(chosen: Unit): void {
  unit.value = chosen;
  browserStore.setItem(NAME, chosen);
}

/** A distance in a unit, with it: to a metre. */
export function lengthText(metres: number, as: Unit): string {
  const digits = as === "m" ? 0 : 3;
  const figures = new Intl.NumberFormat(language.value, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return `${figures.format(metres / METRES[as])} ${as}`;
}

/** Three figures, as bearings are said: `073°`. */
export function bearingText(degrees: number): string {
  return `${String(Math.round(degrees) % 360).padStart(3, "0")}°`;
}
