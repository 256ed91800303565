/** What a pilot has to know now. An alarm stays until somebody has seen it, and as long as it is true. */

import { signal } from "@preact/signals";
import type { Word } from "../../i18n";
import { standing } from "./ground";
import type { Segment, Vehicle } from "./records";

export type Sort = "across" | "stand_off" | "link_lost" | "battery_low" | "stale" | "cue" | "crossing";

/** Gravest first. */
const SORTS: readonly Sort[] = ["across", "stand_off", "link_lost", "battery_low", "stale", "cue", "crossing"];
export const BATTERY_LOW = 0.25;
/** Older than this when the page opens, a stale state is of a flight that is over. */
const OVER_MS = 15 * 60_000;

export interface Alarm {
  /** Of what: its sort and the id of its record. */
  key: string;
  sort: Sort;
  /** Of the record that it is about. */
  record: string;
  values: Record<string, string | number>;
  /** When it was raised, RFC 3339. */
  raised: string;
  seen: boolean;
  /** Whether it is still so. What happened once (a cue, a crossing) is not. */
  holds: boolean;
}

/** What it says. */
export function alarmWord(alarm: Alarm): Word {
  return `fly.alarm_${alarm.sort}`;
}

/** The alarms that matter now, the unseen first, then the gravest, then the newest. */
export class Alarms {
  readonly list = signal<readonly Alarm[]>([]);
  /** The newest that was raised, for whoever hears and does not look. */
  readonly newest = signal<Alarm | null>(null);

  /** What is true of one record now: raises what is new, lets go of what is over. */
  set(record: string, now: Readonly<Partial<Record<Sort, Alarm["values"]>>>, at: string): void {
    const kept = this.list
      .peek()
      .map((each) => (each.record === record && each.holds && now[each.sort] === undefined ? over(each) : each));
    const fresh = SORTS.flatMap((sort) => {
      const values = now[sort];
      const known = kept.some((each) => each.record === record && each.sort === sort && each.holds);
      return values === undefined || known ? [] : [alarm(sort, record, values, at, true)];
    });
    const before = this.list.peek();
    if (fresh.length === 0 && kept.every((each, i) => each === before[i])) return;
    this.#show(kept, fresh);
  }

  /** Something happened, once. */
  happen(sort: Sort, record: string, values: Alarm["values"], at: string): void {
    const before = this.list.peek();
    if (before.some((each) => each.sort === sort && each.record === record)) return;
    this.#show(before, [alarm(sort, record, values, at, false)]);
  }

  /** Somebody has seen it. */
  see(key: string): void {
    this.#show(
      this.list.peek().map((each) => (each.key === key ? { ...each, seen: true } : each)),
      [],
    );
  }

  /** Somebody has seen all. */
  seeAll(): void {
    this.#show(
      this.list.peek().map((each) => ({ ...each, seen: true })),
      [],
    );
  }

  #show(kept: readonly Alarm[], fresh: readonly Alarm[]): void {
    // The same may be raised again while an older one of it waits to be seen: one of them is enough.
    const again = new Set(fresh.map((each) => each.key));
    const left = kept.filter((each) => !again.has(each.key) && (!each.seen || each.holds));
    this.list.value = [...left, ...fresh].sort(order);
    const first = fresh.toSorted(order)[0];
    if (first !== undefined) this.newest.value = first;
  }
}

function alarm(sort: Sort, record: string, values: Alarm["values"], raised: string, holds: boolean): Alarm {
  return { key: `${sort}:${record}`, sort, record, values, raised, seen: false, holds };
}

function over(each: Alarm): Alarm {
  return { ...each, holds: false };
}

function order(a: Alarm, b: Alarm): number {
  if (a.seen !== b.seen) return a.seen ? 1 : -1;
  if (a.sort !== b.sort) return SORTS.indexOf(a.sort) - SORTS.indexOf(b.sort);
  return b.raised.localeCompare(a.raised);
}

/** What is wrong with a vehicle now. One that does not fly has no alarms. */
export function wrongWith(
  vehicle: Vehicle,
  segments: readonly Segment[],
  now: number,
): Partial<Record<Sort, Alarm["values"]>> {
  if (vehicle.live === null) return {};
  if (vehicle.live.stale && Date.parse(vehicle.live.time) < now - OVER_MS) return {};
  const values = { name: vehicle.name };
  const found: Partial<Record<Sort, Alarm["values"]>> = {};
  if (vehicle.live.stale) found.stale = values;
  if (vehicle.link === "lost") found.link_lost = values;
  if (vehicle.battery !== null && vehicle.battery <= BATTERY_LOW)
    found.battery_low = { ...values, percent: Math.round(vehicle.battery * 100) };
  for (const segment of vehicle.at === null ? [] : segments) {
    const stands = standing(vehicle.at ?? [], segment);
    if (stands === null) continue;
    const metres = Math.round(stands.distance);
    if (stands.across) found.across = { ...values, metres };
    else if (metres < segment.standOff) found.stand_off = { ...values, metres, least: Math.round(segment.standOff) };
  }
  return found;
}
