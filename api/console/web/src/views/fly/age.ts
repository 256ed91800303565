/** How old what is shown is. It grows old by itself: of a line that is silent no browser tells. */

import type { Vehicle } from "./records";

/**
 * Whether a state has had its time, though nobody said so.
 *
 * @param heard when it came, and `now`: this computer's clock, milliseconds since the Unix epoch
 * @param skewS the service's clock less this computer's, seconds; null where it is not known
 */
export function isOver(live: NonNullable<Vehicle["live"]>, heard: number, now: number, skewS: number | null): boolean {
  const until = Date.parse(live.until);
  if (now - heard >= until - Date.parse(live.time)) return true; // whatever the clocks say
  return skewS !== null && now + skewS * 1000 >= until;
}
