/** What somebody wrote where a place is wanted, and that is none: it stands until it is put right, and nothing is planned over it. */

import { signal } from "@preact/signals";
import type { Draft, Point } from "./draft";
import { cornersOf } from "./geometry";
import type { Fault } from "./request";

interface Unread {
  text: string;
  fault: Fault;
  /** The places that it was written over: when the pointer changes these, the text has had its day. */
  over: string;
}

const texts = signal<ReadonlyMap<string, Unread>>(new Map());

/** What was written over the places of a line, base or zone and is none; null where there is no such text. */
export function unreadOf(id: string, points: readonly Point[]): Unread | null {
  const one = texts.value.get(id);
  return one?.over === JSON.stringify(points) ? one : null;
}

/** Hold such a text, or with null none any more. */
export function hold(id: string, points: readonly Point[], text: string, fault: Fault | null): void {
  const next = new Map(texts.peek());
  if (fault === null) next.delete(id);
  else next.set(id, { text, fault, over: JSON.stringify(points) });
  texts.value = next;
}

/** The faults of all such texts of a draft. */
export function unreadFaults({ lines, bases, zones }: Draft): Fault[] {
  const all: (readonly [string, readonly Point[]])[] = [
    ...lines.map(({ id, points }) => [id, points] as const),
    ...bases.map(({ id, at }) => [id, [at]] as const),
    ...zones.map(({ id, ring }) => [id, cornersOf(ring)] as const),
  ];
  return all.flatMap(([id, points]) => unreadOf(id, points)?.fault ?? []);
}
