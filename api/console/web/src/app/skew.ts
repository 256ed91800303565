/** How this computer's clock stands to the service's. */

import { signal } from "@preact/signals";

/** The service's clock less this computer's, in seconds; null until an answer has told it. */
export const skewS = signal<number | null>(null);

/** Clocks that differ by no more than this agree, seconds: it is told no better. */
export const TOLERATED_S = 2;

/** What time it is at the service, whatever this computer says, milliseconds since the Unix epoch. */
export function serviceNow(): number {
  const skew = skewS.peek() ?? 0;
  return Date.now() + (Math.abs(skew) > TOLERATED_S ? skew * 1000 : 0);
}

/**
 * Take the time that an answer was sent at. It is told in whole seconds and a way away, so that an answer that took long
 * says little: only quick ones count.
 *
 * @param date the header Date
 * @param askedMs, answeredMs this computer's clock before and after, milliseconds since the Unix epoch
 */
export function hear(date: string | null, askedMs: number, answeredMs: number): void {
  const told = date === null ? Number.NaN : Date.parse(date);
  if (Number.isNaN(told) || answeredMs - askedMs > 1000) return;
  skewS.value = (told + 500 - (askedMs + answeredMs) / 2) / 1000;
}
