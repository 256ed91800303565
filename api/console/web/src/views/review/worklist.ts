/** The list at the left: what waits for a verdict, or crossings by how they were judged, as the service orders them. */

import { computed, signal } from "@preact/signals";
import { ask, dataOf, type Schemas, service } from "../../api/client";
import { may } from "../../app/session";
import { serviceNow } from "../../app/skew";
import { type Crossing, crossingOf, type Feature, type ReviewState } from "./crossing";
import { restOf } from "./rest";

export type Severity = "alert" | "detection";
/** Somebody is at work on a crossing; `until` is RFC 3339. */
export interface Claim {
  by: string;
  mine: boolean;
  until: string;
}

export interface Item {
  crossing: Crossing;
  /** Null outside the queue. */
  severity: Severity | null;
  /** How many people have to confirm it. */
  people: number;
  claim: Claim | null;
  /** Whether the reader has looked at this revision; null where nobody keeps count of it. */
  seen: boolean | null;
}

export type Which = "waiting" | "all" | ReviewState;

export interface Sought {
  which: Which;
  severity: Severity | null;
  /** Of the queue: nobody's, or the reader's own. */
  claimed: "none" | "mine" | null;
  /** Only what the reader has not looked at. */
  unseen: boolean;
  /** Not older than so many hours. */
  hours: number | null;
}

interface Found {
  items: Item[];
  counts: Record<Severity, number> | null;
  next: string | null;
}

const PAGE = 100;
/** What is read again when something happens: who has scrolled beyond it sees the rest as it was. */
const AGAIN = 200;

export const sought = signal<Sought>({ which: "waiting", severity: null, claimed: null, unseen: false, hours: null });
export const items = signal<readonly Item[]>([]);
/** Of those that wait, by severity; null where they are not counted. */
export const counts = signal<Record<Severity, number> | null>(null);
export const loading = signal(false);
/** Whether the list was read since it was asked for anew. */
export const loaded = signal(false);
const next = signal<string | null>(null);
export const more = computed(() => next.value !== null);

let turn = 0;
/** Something has happened that the reading under way may not know: another follows it. */
let again = false;
/**
 * Crossings that this person has judged, by id: the last reading of the list that may not know it, and has them still;
 * every one as long as the verdict is on its way.
 */
const struck = new Map<string, number>();

/** Whether this reader has a queue, or a list of what was judged alone. */
export function hasQueue(): boolean {
  return may("review.read");
}

/** Read the list from its beginning. What came for an older question is dropped. */
export async function load(): Promise<void> {
  turn += 1;
  const mine = turn;
  loading.value = true;
  try {
    const found = await first(Math.max(PAGE, Math.min(AGAIN, items.peek().length)));
    if (mine !== turn) return;
    const whole = found.next === null || !loaded.peek();
    const beyond = whole ? null : restOf(items.peek(), found.items, (item) => item.crossing.id);
    items.value = [...standing(found.items, mine), ...(beyond ?? [])];
    for (const [id, last] of struck) if (last < mine) struck.delete(id);
    if (beyond === null || beyond.length === 0) next.value = found.next;
    counts.value = found.counts;
    loaded.value = true;
  } finally {
    if (mine === turn) loading.value = false;
  }
  await followed();
}

/** Read the list from its beginning, after what is under way: else a slow line would bring none to its end. */
export async function loadNext(): Promise<void> {
  again = true;
  await followed();
}

async function followed(): Promise<void> {
  if (!again || loading.peek()) return;
  again = false;
  await load();
}

/** Ask for another list. */
export async function seek(wish: Partial<Sought>): Promise<void> {
  sought.value = { ...sought.peek(), ...wish };
  loaded.value = false;
  items.value = [];
  next.value = null;
  await load();
}

/** Read on. */
export async function loadMore(): Promise<void> {
  const path = next.peek();
  if (path === null || loading.peek()) return;
  const mine = turn;
  loading.value = true;
  try {
    const body = (await (await ask(path)).json()) as QueuePage | FeaturePage;
    if (mine !== turn) return;
    const found = "items" in body ? queueFound(body) : featuresFound(body);
    const known = new Set(items.peek().map((item) => item.crossing.id));
    items.value = [...items.peek(), ...standing(found.items, mine).filter((item) => !known.has(item.crossing.id))];
    next.value = found.next;
  } finally {
    if (mine === turn) loading.value = false;
  }
  await followed();
}

/** Take a crossing that was judged off the list, whatever readings of it say that may not know. */
export function strike(id: string): void {
  struck.set(id, Number.POSITIVE_INFINITY);
  change(id, () => null);
}

/** The verdict's way has ended: what is read from now on knows whether the crossing waits for one. */
export function expectBack(id: string): void {
  if (struck.has(id)) struck.set(id, turn);
}

/** Of what a reading of that turn has found, what was not judged since it was asked for. */
function standing(found: readonly Item[], mine: number): readonly Item[] {
  if (sought.peek().which !== "waiting") return found;
  return found.filter(({ crossing }) => (struck.get(crossing.id) ?? 0) < mine);
}

/** Show a change of one crossing at once, before the list is read again. */
export function change(id: string, wish: (item: Item) => Item | null): void {
  items.value = items.peek().flatMap((item) => (item.crossing.id === id ? (wish(item) ?? []) : item));
}

type QueuePage = NonNullable<Awaited<ReturnType<typeof askQueue>>["data"]>;
type FeaturePage = Schemas["FeatureCollection"];

function askQueue(limit: number) {
  const { severity, claimed, unseen, hours } = sought.peek();
  const query = {
    limit,
    ...(severity === null ? {} : { severity }),
    ...(claimed === null ? {} : { claimed }),
    ...(unseen ? { seen: false } : {}),
    ...(hours === null ? {} : { from: since(hours) }),
  };
  return service.GET("/reviews/queue", { params: { query } });
}

async function first(limit: number): Promise<Found> {
  const { which, hours } = sought.peek();
  if (which === "waiting" && hasQueue()) return queueFound(dataOf(await askQueue(limit)));
  const query = {
    limit,
    ...(which === "all" || which === "waiting" ? {} : { review: which }),
    ...(hours === null ? {} : { from: since(hours) }),
  };
  return featuresFound(dataOf(await service.GET("/crossings", { params: { query } })));
}

function queueFound(page: QueuePage): Found {
  const found = page.items.map(({ feature, severity, people, claim, seen }) => ({
    crossing: crossingOf(feature),
    severity,
    people,
    claim,
    seen,
  }));
  const { alert = 0, detection = 0 } = page.counts;
  return { items: found, counts: { alert, detection }, next: nextOf(page.links) };
}

function featuresFound(page: FeaturePage): Found {
  return { items: page.features.map(itemOf), counts: null, next: nextOf(page.links) };
}

/** A crossing as an item of no queue. */
export function itemOf(feature: Feature): Item {
  return { crossing: crossingOf(feature), severity: null, people: 1, claim: null, seen: null };
}

function nextOf(links: readonly { rel: string; href: string }[]): string | null {
  return links.find((link) => link.rel === "next")?.href ?? null;
}

function since(hours: number): string {
  return new Date(serviceNow() - hours * 3_600_000).toISOString();
}
