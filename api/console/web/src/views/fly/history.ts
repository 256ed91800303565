/** What was heard of a vehicle in the last minutes, and what can be told from it. Bounded. */

import type { Position } from "geojson";
import type { Vehicle } from "./records";

const MOST = 180;
const APART_MS = 2000;
const KEPT_MS = 10 * 60_000;
/** A slope over less than this says nothing. */
const LEAST_MS = 60_000;
const LEAST_DROP = 0.01;

interface Heard {
  time: number;
  at: Position;
  battery: number | null;
}

/** The last ten minutes of one vehicle, a point every two seconds at most. */
export class History {
  #heard: Heard[] = [];

  /** Take in a state; one that is no newer than the last changes nothing. */
  add(vehicle: Vehicle): void {
    if (vehicle.live === null || vehicle.at === null) return;
    const time = Date.parse(vehicle.live.time);
    const last = this.#heard.at(-1);
    if (last !== undefined && time < last.time + APART_MS) return;
    this.#heard.push({ time, at: vehicle.at, battery: vehicle.battery });
    while (this.#heard.length > MOST || (this.#heard[0]?.time ?? time) < time - KEPT_MS) this.#heard.shift();
  }

  /** Where it was, oldest first. */
  get trail(): Position[] {
    return this.#heard.map((each) => each.at);
  }

  /** Minutes until the battery is empty if it goes on like this; null while that cannot be told. */
  get minutesLeft(): number | null {
    const known = this.#heard.flatMap((each) =>
      each.battery === null ? [] : [{ time: each.time, battery: each.battery }],
    );
    const first = known[0];
    const last = known.at(-1);
    if (first === undefined || last === undefined) return null;
    const passed = last.time - first.time;
    const drop = first.battery - last.battery;
    if (passed < LEAST_MS || drop < LEAST_DROP) return null;
    return (last.battery / drop) * (passed / 60_000);
  }
}
