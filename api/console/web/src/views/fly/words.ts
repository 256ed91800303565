/** What is shown of a vehicle, in words. */

import { computed } from "@preact/signals";
import { language } from "../../app/preferences";
import type { Word } from "../../i18n";
import { BATTERY_LOW } from "./alarms";
import { hasEnded, type Order } from "./orders";
import type { Sortie, Vehicle } from "./records";

/** Metres a second, as a pilot reads it. */
export function speedText(metres: number): string {
  return `${metres.toFixed(metres < 10 ? 1 : 0)} m/s`;
}

/** Metres or kilometres. */
export function distanceText(metres: number): string {
  return metres < 1000 ? `${Math.round(metres)} m` : `${(metres / 1000).toFixed(1)} km`;
}

/** How long ago, short: `8 s`, `4 min`, `2 h`. */
export function ageText(time: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(time)) / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h`;
}

const percents = computed(() => new Intl.NumberFormat(language.value, { style: "percent", maximumFractionDigits: 0 }));

/** A share of the whole. */
export function percentText(share: number): string {
  return percents.value.format(share);
}

/** How a vehicle is heard: a lost position outweighs what the last state said of its link. */
export function linkWord(vehicle: Vehicle): Word {
  if (vehicle.live === null) return "fly.not_flying";
  if (vehicle.live.stale) return "fly.link_stale";
  return vehicle.link === null ? "fly.link_unknown" : `fly.link_${vehicle.link}`;
}

/** How badly off it is. */
export function toneOf(vehicle: Vehicle): "good" | "warn" | "bad" | "off" {
  if (vehicle.live === null) return "off";
  if (vehicle.live.stale || vehicle.link === "lost") return "bad";
  if (vehicle.link === "weak" || isLow(vehicle)) return "warn";
  return "good";
}

export function isLow(vehicle: Vehicle): boolean {
  return vehicle.battery !== null && vehicle.battery <= BATTERY_LOW;
}

/** What it does next, as far as that is known: the order under way, else the end of its sortie. */
export function nextOf(order: Order | null, sortie: Sortie | null): { word: Word; at: string | null } | null {
  if (order !== null && !hasEnded(order)) return { word: `fly.order_${order.kind}`, at: null };
  return sortie?.landing == null ? null : { word: "fly.lands", at: sortie.landing };
}
