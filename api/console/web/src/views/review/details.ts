/** All that is known of the crossing that is open, and of the next one before it is asked for. */

import { signal } from "@preact/signals";
import { dataOf, service } from "../../api/client";
import { Problem } from "../../api/problem";
import { may } from "../../app/session";
import { type Crossing, crossingOf } from "./crossing";
import { evidenceOf } from "./evidence";
import type { Kept } from "./outbox";
import { change } from "./worklist";

type Note = NonNullable<Awaited<ReturnType<typeof askNotes>>["data"]>[number];
type Case = NonNullable<Awaited<ReturnType<typeof askCases>>["data"]>["cases"][number];

export type { Case, Note };

export interface Details {
  crossing: Crossing;
  /** Oldest first; none where they may not be read. */
  reviews: readonly Kept[];
  notes: readonly Note[];
  cases: readonly Case[];
}

/** What is open; null while nothing is, or it is being read. */
export const details = signal<Details | null>(null);
/** Which crossing is open. */
export const open = signal<string | null>(null);
/** Why the open one cannot be shown: it is not there (any more), or could not be read. */
export const absent = signal<string | null>(null);
/** Of the open one's clip: the time of the picture that is shown, milliseconds since the Unix epoch. */
export const moment = signal<number | null>(null);

/** What is passed over with a key that is held is not read: it would stand before what is looked at, milliseconds. */
const PASSING = 80;

const ahead = new Map<string, Promise<Details>>();

/** Open a crossing, and get the next one ready. */
export async function openCrossing(id: string | null, next: string | null): Promise<void> {
  if (open.peek() !== id) {
    open.value = id;
    details.value = null;
    moment.value = null;
  }
  absent.value = null;
  if (id === null) return;
  if (!ahead.has(id)) await new Promise((go) => setTimeout(go, PASSING));
  if (open.peek() !== id) return;
  await read(id, ahead.get(id) ?? detailsOf(id));
  ahead.clear();
  if (next === null || open.peek() !== id) return;
  const coming = detailsOf(next);
  ahead.set(next, coming);
  // What fails now is asked for again when it is opened, and told then.
  coming.then(({ crossing }) => evidenceOf(crossing)).catch(() => ahead.delete(next));
}

/** Read the open crossing anew. */
export async function readAgain(): Promise<void> {
  const id = open.peek();
  if (id === null) return;
  ahead.delete(id);
  await read(id, detailsOf(id));
}

/** What is told of a crossing that is got ready counts no more. */
export function forgetAhead(id: string): void {
  ahead.delete(id);
}

async function read(id: string, asked: Promise<Details>): Promise<void> {
  try {
    const found = await asked;
    if (open.peek() !== id) return;
    absent.value = null;
    details.value = found;
    change(id, (item) => ({ ...item, crossing: found.crossing }));
  } catch (error) {
    if (open.peek() !== id) return;
    if (!(error instanceof Problem)) throw error;
    if (error.status === 404) details.value = null;
    else if (details.peek() !== null || error.status === 401) throw error; // what is there stays
    absent.value = error.message;
  }
}

async function detailsOf(id: string): Promise<Details> {
  const path = { record_id: id };
  const [feature, reviews, notes, cases] = await Promise.all([
    service.GET("/crossings/{record_id}", { params: { path } }),
    may("review.read") ? service.GET("/crossings/{record_id}/reviews", { params: { path } }) : null,
    may("review.read") ? askNotes(id) : null,
    may("case.read") ? askCases(id) : null,
  ]);
  return {
    crossing: crossingOf(dataOf(feature)),
    reviews: reviews === null ? [] : dataOf(reviews),
    notes: notes === null ? [] : dataOf(notes),
    cases: cases === null ? [] : dataOf(cases).cases,
  };
}

function askNotes(id: string) {
  return service.GET("/crossings/{record_id}/annotations", {
    params: { path: { record_id: id }, query: { limit: 100 } },
  });
}

function askCases(id: string) {
  return service.GET("/cases", { params: { query: { record_id: id } } });
}
