/** What a person does with the crossing that is open, and how they move on to the next. */

import { computed, signal } from "@preact/signals";
import { dataOf, service } from "../../api/client";
import { go, place, to } from "../../app/router";
import { may, me } from "../../app/session";
import { t } from "../../i18n";
import { attempt, report, say } from "../../ui/failure";
import { settled as claimSettled, done } from "./claims";
import { crossingOf } from "./crossing";
import { details, forgetAhead, open, readAgain } from "./details";
import { type Kept, Outbox, type Outcome, type Verdict, type Waiting } from "./outbox";
import { change, items, load, sought } from "./worklist";

/** Something that was done here and may be put right. */
export type Deed =
  | ({ kind: "verdict"; id: string } & Verdict)
  | { kind: "merge"; id: string; into: string }
  | { kind: "case"; id: string; caseId: string; title: string };

/** The latest first. */
export const deeds = signal<readonly Deed[]>([]);
const MOST_DEEDS = 50;

/** A verdict that another one overtook: the person looks again, and decides again. */
export const overtaken = signal<{ id: string; mine: Verdict; by: Kept | null } | null>(null);
export const outbox = signal<Outbox | null>(null);
/** Which of the dialogs is open. */
export const asking = signal<"dismiss" | "merge" | "case" | "undo" | "take-over" | null>(null);

/** The item of the list that is open; null where it is not in the list. */
export const current = computed(() => items.value.find((item) => item.crossing.id === open.value) ?? null);

/** The reader's own verdict that waits for a second person's: theirs is not the second. */
export const ownFirst = computed<Kept | null>(() => {
  const found = details.value;
  if (found === null || found.crossing.first === null) return null;
  const last = found.reviews.findLast((each) => each.revision === found.crossing.revision);
  return last !== undefined && last.reviewer_key === me.value?.account_id ? last : null;
});

/** Begin for a person; returns what ends it. */
export function sitDown(person: string): () => void {
  const box = new Outbox(person, { send, read: readVerdicts }, sessionStorage, settled);
  outbox.value = box;
  deeds.value = [];
  overtaken.value = null;
  void box.flush();
  return () => {
    box.stop();
    outbox.value = null;
  };
}

/** Which crossing the address names. */
export const chosen = computed(() => (place.value.view === "review" ? (place.value.parts[0] ?? null) : null));

/** Open a crossing. */
export function choose(id: string | null): void {
  overtaken.value = null;
  go(to("review", id === null ? [] : [id]), true);
}

/** Open the item so many places further in the list. */
export function move(by: number): void {
  const at = items.peek().findIndex((item) => item.crossing.id === chosen.peek());
  const next = items.peek()[at < 0 ? 0 : Math.max(0, Math.min(items.peek().length - 1, at + by))];
  if (next !== undefined) choose(next.crossing.id);
}

/** The one after an item: the next in the list, else the one before it. */
export function following(id: string | null): string | null {
  const all = items.peek();
  const at = all.findIndex((item) => item.crossing.id === id);
  return (all[at + 1] ?? all[at - 1])?.crossing.id ?? null;
}

/** Whether the reader may judge at all. */
export function mayJudge(): boolean {
  return may("review");
}

/** Judge the open crossing, and open the next. */
export function judge(verdict: Verdict): void {
  const found = details.peek();
  if (found === null || found.crossing.etag === null) return;
  const { id, etag } = found.crossing;
  const next = following(id);
  asking.value = null;
  overtaken.value = null;
  remember({ kind: "verdict", id, ...verdict });
  done(id);
  outbox.peek()?.give(id, etag, found.reviews.length, verdict);
  if (sought.peek().which === "waiting") {
    choose(next);
    change(id, () => null);
  }
}

/** Let the open crossing be one with another, which stands for both. */
export async function merge(into: string, reason: string): Promise<boolean> {
  const id = open.peek();
  if (id === null) return false;
  return attempt(async () => {
    await service.POST("/crossings/{record_id}/merge", { params: { path: { record_id: id } }, body: { into, reason } });
    remember({ kind: "merge", id, into });
    asking.value = null;
    done(id);
    say(t("review.merged_done"));
    choose(into);
    forgetAhead(into);
    await load();
  });
}

/** Part a merged crossing from its survivor again. */
export async function split(id: string, reason: string): Promise<boolean> {
  return attempt(async () => {
    await service.POST("/crossings/{record_id}/split", { params: { path: { record_id: id } }, body: { reason } });
    forget((deed) => deed.kind === "merge" && deed.id === id);
    asking.value = null;
    say(t("review.split_done"));
    choose(id);
    await load();
    await readAgain();
  });
}

/** Note what was done, so that it can be put right. */
export function remember(deed: Deed): void {
  deeds.value = [deed, ...deeds.peek()].slice(0, MOST_DEEDS);
}

/** Strike what was put right. */
export function forget(which: (deed: Deed) => boolean): void {
  deeds.value = deeds.peek().filter((deed) => !which(deed));
}

/** Ask what of the last deed is to be put right. */
export function askUndo(): void {
  asking.value = "undo";
}

async function send(waiting: Waiting): Promise<{ state: string; etag: string }> {
  const { verdict, reason, category } = waiting;
  await claimSettled();
  return dataOf(
    await service.POST("/crossings/{record_id}/reviews", {
      params: { path: { record_id: waiting.record_id }, header: { "if-match": waiting.etag } },
      body: { verdict, reason, category },
    }),
  );
}

async function readVerdicts(id: string): Promise<{ reviews: readonly Kept[]; state: string; etag: string | null }> {
  const path = { record_id: id };
  const reviews = dataOf(await service.GET("/crossings/{record_id}/reviews", { params: { path } }));
  const { response, data } = await service.GET("/crossings/{record_id}", { params: { path } });
  const state = data === undefined ? null : crossingOf(data).state;
  return { reviews, state: state ?? "pending", etag: response.headers.get("ETag") };
}

/** A verdict's way has ended. */
function settled(sent: Waiting, outcome: Outcome): void {
  const { record_id: id } = sent;
  forgetAhead(id);
  switch (outcome.kind) {
    case "taken":
      say(t(outcome.state === "pending" ? "review.taken_first" : `review.taken_${sent.verdict}`));
      break;
    case "overtaken":
      forget((deed) => deed.kind === "verdict" && deed.id === id);
      choose(id);
      overtaken.value = { id, mine: sent, by: outcome.by };
      break;
    case "refused":
      forget((deed) => deed.kind === "verdict" && deed.id === id);
      report(outcome.problem);
      choose(id);
      break;
  }
  load().catch(report);
  if (open.peek() === id) readAgain().catch(report);
}
