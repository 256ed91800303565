/** What a pilot has to know now. An alarm stays until somebody has seen it, and as long as it is true. */

import { signal } from "@preact/signals";
import type { Word } from "../../i18n";
import { standing } from "./border";
import type { Segment, Vehicle } from "./records";

export type Sort = "across" | "stand_off" | "link_lost" | "battery_low" | "stale" | "cue" | "crossing";

/** Gravest first. */
const SORTS: readonly Sort[] = ["across", "stand_off", "link_lost", "battery_low", "stale", "cue", "crossing"];
export const BATTERY_LOW = 0.25;
/** In percent: at each of them a low battery is told of again. */
const BATTERY_STEPS = [15, 10, 5] as const;
/** Across the border by less than this is not told of twice; metres. */
const LEAST_FAR_M = 200;
const MOST = 500;
/** A stale state that is older than this is of a flight that is over: it raises nothing, but what holds goes on. */
const OVER_MS = 15 * 60_000;

export interface Alarm {
  /** Of what: its sort and the id of its record. */
  key: string;
  sort: Sort;
  /** Of the record that it is about. */
  record: string;
  values: Record<string, string | number>;
  /** What it said when it was raised, or became worse, last. */
  told: Record<string, string | number>;
  /** When it was raised, RFC 3339. */
  raised: string;
  seen: boolean;
  /** Whether it is still so. What happened once (a cue, a crossing) is not. */
  holds: boolean;
}

/** What it says. */
export function alarmWord(alarm: Alarm): Word {
  if (alarm.sort === "across" && alarm.values.metres === undefined) return "fly.alarm_across_unknown";
  return `fly.alarm_${alarm.sort}`;
}

/** The alarms that matter now, the unseen first, then the gravest, then the newest. Bounded. */
export class Alarms {
  readonly list = signal<readonly Alarm[]>([]);
  /** The newest that was raised, or became worse, for whoever hears and does not look. */
  readonly newest = signal<Alarm | null>(null);

  /** What is so of a record, as far as was told. */
  held(record: string): ReadonlySet<Sort> {
    return new Set(this.list.peek().flatMap((each) => (each.holds && each.record === record ? [each.sort] : [])));
  }

  /** What is true of one record now: raises what is new, lets go of what is over, and keeps the figures true. */
  set(record: string, now: Readonly<Partial<Record<Sort, Alarm["values"]>>>, at: string): void {
    const before = this.list.peek();
    const kept: Alarm[] = [];
    const fresh: Alarm[] = [];
    for (const each of before) {
      const values = now[each.sort];
      if (each.record !== record || !each.holds) kept.push(each);
      else if (values === undefined) kept.push({ ...each, holds: false });
      else if (isWorse(each.sort, each.told, values)) fresh.push({ ...each, values, told: values, seen: false });
      else kept.push(isSame(each.values, values) ? each : { ...each, values });
    }
    const held = this.held(record);
    for (const sort of SORTS) {
      const values = now[sort];
      if (values !== undefined && !held.has(sort)) fresh.push(alarm(sort, record, values, at, true));
    }
    if (fresh.length > 0 || kept.some((each, i) => each !== before[i])) this.#show(kept, fresh);
  }

  /** Something happened, once. */
  happen(sort: Sort, record: string, values: Alarm["values"], at: string): void {
    const before = this.list.peek();
    if (before.some((each) => each.sort === sort && each.record === record)) return;
    this.#show(before, [alarm(sort, record, values, at, false)]);
  }

  /** What happened was none, or may not be known of any more: nobody is alarmed by it. */
  end(sort: Sort, record: string): void {
    const left = this.list.peek().filter((each) => each.sort !== sort || each.record !== record);
    if (left.length < this.list.peek().length) this.list.value = left;
    const { newest } = this;
    if (newest.peek()?.sort === sort && newest.peek()?.record === record) newest.value = null;
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
    this.list.value = bounded([...left, ...fresh].sort(order));
    const first = fresh.toSorted(order)[0];
    if (first !== undefined) this.newest.value = first;
  }
}

/** What still holds is never let go of; of the rest the gravest and newest are kept. */
function bounded(all: readonly Alarm[]): readonly Alarm[] {
  if (all.length <= MOST) return all;
  let room = MOST - all.filter((each) => each.holds).length;
  return all.filter((each) => {
    if (each.holds) return true;
    room -= 1;
    return room >= 0;
  });
}

function alarm(sort: Sort, record: string, values: Alarm["values"], raised: string, holds: boolean): Alarm {
  return { key: `${sort}:${record}`, sort, record, values, told: values, raised, seen: false, holds };
}

/**
 * Whether who has seen the alarm with the figures of `told` has to know of it again: the battery went through a step, it
 * is half as far from the border as it was or, across, twice as far.
 */
function isWorse(sort: Sort, told: Alarm["values"], now: Alarm["values"]): boolean {
  if (sort === "battery_low")
    return BATTERY_STEPS.some((step) => Number(now.percent) <= step && step < Number(told.percent));
  const [was, is] = [Number(told.metres), Number(now.metres)];
  if (sort === "stand_off") return is <= was / 2 && is < was;
  return sort === "across" && is >= Math.max(2 * was, LEAST_FAR_M);
}

function isSame(a: Alarm["values"], b: Alarm["values"]): boolean {
  if (Object.keys(a).length !== Object.keys(b).length) return false;
  return Object.entries(b).every(([name, value]) => a[name] === value);
}

function order(a: Alarm, b: Alarm): number {
  if (a.seen !== b.seen) return a.seen ? 1 : -1;
  if (a.sort !== b.sort) return SORTS.indexOf(a.sort) - SORTS.indexOf(b.sort);
  return b.raised.localeCompare(a.raised);
}

/**
 * What is wrong with a vehicle now. One that does not fly has no alarms, save that who was across the border is so until
 * it is heard of on its own side: while its place is not told, the alarm has no metres.
 *
 * @param held what is known to be so of it, see {@link Alarms.held}: however long nothing is heard, that is no word that
 *   it is over
 * @param wasHeard whether this page knew it to be heard until now: however late it finds out, as after a sleep, that one
 *   is not heard any more is of this flight, and of none that was over
 */
export function wrongWith(
  vehicle: Vehicle,
  segments: readonly Segment[],
  now: number,
  held: ReadonlySet<Sort> = new Set(),
  wasHeard = false,
): Partial<Record<Sort, Alarm["values"]>> {
  const values = { name: vehicle.name };
  const found: Partial<Record<Sort, Alarm["values"]>> = held.has("across") ? { across: values } : {};
  const { live } = vehicle;
  if (live === null) return found;
  const isOld = live.stale && !wasHeard && Date.parse(live.time) < now - OVER_MS;
  const counts = (sort: Sort) => !isOld || held.has(sort);
  if (live.stale && counts("stale")) found.stale = values;
  if (vehicle.link === "lost" && counts("link_lost")) found.link_lost = values;
  if (vehicle.battery !== null && vehicle.battery <= BATTERY_LOW && counts("battery_low"))
    found.battery_low = { ...values, percent: Math.round(vehicle.battery * 100) };
  if (vehicle.at === null) return found;
  const { across, near } = standing(vehicle.at, segments, held.has("across"));
  if (!isOld) {
    if (across !== null) found.across = { ...values, metres: Math.round(across.metres) };
    else delete found.across;
  }
  if (near !== null && counts("stand_off"))
    found.stand_off = { ...values, metres: Math.round(near.metres), least: Math.round(near.least) };
  return found;
}
