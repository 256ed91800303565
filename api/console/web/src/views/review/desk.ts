/** What a person does with the crossing that is open, and how they move on to the next. */

import { computed, signal } from "@preact/signals";
import { service } from "../../api/client";
import { go, place, to } from "../../app/router";
import { isBeginningAnew, may, me } from "../../app/session";
import { serviceNow } from "../../app/skew";
import { browserStore } from "../../app/store";
import { t } from "../../i18n";
import { attempt, report, say } from "../../ui/failure";
import { settled as claimSettled, done } from "./claims";
import { type Details, details, forgetAhead, open, readAgain } from "./details";
import { type Kept, Outbox, type Outcome, type Verdict, type Waiting } from "./outbox";
import { readVerdicts, send } from "./post";
import { named } from "./words";
import { expectBack, type Item, items, load, loadNext, sought, strike } from "./worklist";

/** Something that was done here and may be put right. */
export type Deed =
  | ({ kind: "verdict"; id: string } & Verdict)
  | { kind: "merge"; id: string; into: string }
  | { kind: "case"; id: string; caseId: string; title: string };

/** The latest first. */
export const deeds = signal<readonly Deed[]>([]);
const MOST_DEEDS = 50;

/** A verdict that came back, of which nothing was recorded: the person looks again, and decides again. */
export interface Returned {
  id: string;
  mine: Waiting;
  /** The verdict that was faster, where that is why. */
  by: Kept | null;
  /** Why the service refused it, where it did. */
  refusal: string | null;
}

export const returned = signal<readonly Returned[]>([]);
export const outbox = signal<Outbox | null>(null);

/** What a dialog was opened for, as it was then: whatever happens under it, it is this that is judged or put right. */
export type Asking = AskingAbout | { what: "undo"; deed: Deed };
export interface AskingAbout {
  what: "dismiss" | "merge" | "case" | "take-over";
  about: Details;
}

/** The dialog that is open. */
export const asking = signal<Asking | null>(null);

/** The item of the list that is open; null where it is not in the list. */
export const current = computed(() => items.value.find((item) => item.crossing.id === open.value) ?? null);

/** The reader's own verdict that waits for a second person's: theirs is not the second. */
export const ownFirst = computed<Kept | null>(() => {
  const found = details.value;
  if (found === null || found.crossing.first === null) return null;
  const last = found.reviews.findLast((each) => each.revision === found.crossing.revision);
  return last !== undefined && last.reviewer_key === me.value?.account_id ? last : null;
});

/** Marks of the verdicts that were given in this page: nobody else has put them there. */
const givenHere = new Set<string>();

/** Who sat here last. */
let sitter: string | null = null;

/** Begin for a person; returns what ends it. */
export function sitDown(person: string): () => void {
  const post = { who, clear: claimSettled, send, read: readVerdicts };
  const box = new Outbox(person, post, browserStore, settled, givenHere);
  outbox.value = box;
  asking.value = null;
  if (person !== sitter) {
    deeds.value = [];
    returned.value = [];
  }
  sitter = person;
  void box.flush();
  // What the browser keeps is there when this person is here again; what it had no room for is lost with the page.
  const ask = (event: BeforeUnloadEvent) => {
    if (!isBeginningAnew() && !box.outlasts) event.preventDefault();
  };
  addEventListener("beforeunload", ask);
  const look = () => box.lookAgain(); // another page has changed what the browser keeps
  addEventListener("storage", look);
  return () => {
    removeEventListener("beforeunload", ask);
    removeEventListener("storage", look);
    box.stop();
    outbox.value = null;
  };
}

/** Which crossing the address names. */
export const chosen = computed(() => (place.value.view === "review" ? (place.value.parts[0] ?? null) : null));

/** Open a crossing. */
export function choose(id: string | null): void {
  go(to("review", id === null ? [] : [id]), true);
}

/** Open the item so many places further in the list. */
export function move(by: number): void {
  const at = items.peek().findIndex((item) => item.crossing.id === chosen.peek());
  const next = items.peek()[at < 0 ? 0 : Math.max(0, Math.min(items.peek().length - 1, at + by))];
  if (next !== undefined) choose(next.crossing.id);
}

/**
 * The one to go on with after an item: the next in the list, else one before it. Those that somebody else is at work on are
 * passed over, so that two who go through one queue are not in each other's way, unless there are no others.
 */
export function following(id: string | null): string | null {
  const all = items.peek();
  const at = all.findIndex((item) => item.crossing.id === id);
  const others = [...all.slice(at + 1), ...all.slice(0, Math.max(0, at)).toReversed()];
  return (others.find(isFree) ?? others[0])?.crossing.id ?? null;
}

function isFree({ claim }: Item): boolean {
  return claim === null || claim.mine || Date.parse(claim.until) <= serviceNow();
}

/** Whether the reader may judge at all. */
export function mayJudge(): boolean {
  return may("review");
}

/** Judge a crossing as it was looked at, and open the next where it is still the one that is open. */
export function judge({ crossing, reviews }: Details, { verdict, reason, category }: Verdict): void {
  const { id, etag } = crossing;
  if (etag === null) return;
  const next = following(id);
  leave(id);
  remember({ kind: "verdict", id, verdict, reason, category });
  done(id);
  outbox.peek()?.give(id, etag, reviews.length, { verdict, reason, category });
  if (sought.peek().which === "waiting") {
    if (chosen.peek() === id) choose(next);
    strike(id);
  }
}

/** Throw away what an earlier page has left; it may have arrived before, and the person is told what is known of that. */
export async function throwAway({ record_id: id }: Waiting): Promise<void> {
  const taken = (await outbox.peek()?.take(id)) ?? null;
  if (taken !== null) say(t(`review.undo_${taken}`), taken === "unsaid" ? "good" : "bad");
}

/** Leave it at that: a verdict that came back is not given again. */
export function leave(id: string): void {
  returned.value = returned.peek().filter((each) => each.id !== id);
}

/** Shut a dialog, and open what it led to; whoever has left it by then stays where they are. */
export function shut(asked: Asking, id?: string): void {
  if (asking.peek() !== asked) return;
  asking.value = null;
  if (id !== undefined) choose(id);
}

/** Let a crossing be one with another, which stands for both. */
export async function merge(asked: AskingAbout, into: string, reason: string): Promise<boolean> {
  const { id } = asked.about.crossing;
  return attempt(async () => {
    await service.POST("/crossings/{record_id}/merge", { params: { path: { record_id: id } }, body: { into, reason } });
    remember({ kind: "merge", id, into });
    done(id);
    say(t("review.merged_done"));
    shut(asked, into);
    forgetAhead(into);
    await load();
  });
}

/** Part a merged crossing from its survivor again. */
export async function split(asked: Asking, id: string, reason: string): Promise<boolean> {
  return attempt(async () => {
    await service.POST("/crossings/{record_id}/split", { params: { path: { record_id: id } }, body: { reason } });
    forget((deed) => deed.kind === "merge" && deed.id === id);
    say(t("review.split_done"));
    shut(asked, id);
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
  const [deed] = deeds.peek();
  if (deed !== undefined) asking.value = { what: "undo", deed };
}

function who(): string | null {
  return me.peek()?.account_id ?? null;
}

/** A verdict's way has ended. What is open stays open, and a dialog over it too: one that came back is told. */
function settled(sent: Waiting, outcome: Outcome): void {
  const { record_id: id } = sent;
  forgetAhead(id);
  expectBack(id);
  switch (outcome.kind) {
    case "taken":
      if (outcome.late) landedLate(sent);
      else say(t(outcome.state === "pending" ? "review.taken_first" : `review.taken_${sent.verdict}`));
      break;
    case "overtaken":
      giveBack({ id, mine: sent, by: outcome.by, refusal: null });
      break;
    case "refused":
      giveBack({ id, mine: sent, by: null, refusal: outcome.problem.message });
      break;
    case "elsewhere": // that page has told what became of it
      break;
  }
  loadNext().catch(report);
  if (open.peek() === id) readAgain().catch(report);
}

/** It had been taken back, and stands all the same: the person is told, and may put it right. */
function landedLate({ record_id: id, verdict, reason, category }: Waiting): void {
  remember({ kind: "verdict", id, verdict, reason, category });
  say(t("review.landed_late", { verdict: named(verdict) }), "bad");
}

function giveBack(back: Returned): void {
  forget((deed) => deed.kind === "verdict" && deed.id === back.id);
  leave(back.id);
  returned.value = [...returned.peek(), back];
}
