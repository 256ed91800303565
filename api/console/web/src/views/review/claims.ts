/** The claim on the crossing that is open: taken when it is opened, renewed while it is, let go of when it is left. */

import { signal } from "@preact/signals";
import { dataOf, service } from "../../api/client";
import { ANSWER_MS, late } from "../../api/once";
import { Problem } from "../../api/problem";
import { may } from "../../app/session";
import { serviceNow } from "../../app/skew";
import { whenBack } from "../../ui/attention";
import { report } from "../../ui/failure";
import { type Claim, change } from "./worklist";

/** Who passes over a crossing with the keys does not work on it, milliseconds. */
const DWELL = 350;
const AGAIN_AWAY = 5000;
const PATIENCE = 3000;

/** Of the open crossing; null where nobody holds it. */
export const claim = signal<Claim | null>(null);
/** What the service says where another person holds it. */
export const heldBy = signal<string | null>(null);

/** A claim that is on its way: a verdict waits for it, or the claim would outlive it. */
let going: Promise<void> = Promise.resolve();
/** Which crossing is being held, or would be. */
let held: string | null = null;
/** Crossings that were judged since they were opened: their claims end with the verdict. */
const judged = new Set<string>();

/** When no claim is on its way any more; a verdict does not wait for long. */
export function settled(): Promise<void> {
  return Promise.race([going, new Promise<void>((go) => setTimeout(go, PATIENCE))]);
}

/** Hold a crossing until the returned function is called. */
export function hold(id: string): () => void {
  let left = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  held = id;
  claim.value = null;
  heldBy.value = null;
  judged.delete(id);

  let off: () => void = () => undefined;
  /** Whether the service is asked for it, and has not answered. */
  let asking = false;
  // Who has gone holds nothing: a claim that is not renewed ends at its time.
  const take = () => {
    off = whenBack(() => {
      if (!judged.has(id)) going = taking();
    });
  };
  /** It is asked for by one answer after another: two that come late and together ask once. */
  const later = (ms: number) => {
    clearTimeout(timer);
    timer = setTimeout(take, ms);
  };

  async function taking(): Promise<void> {
    const params = { path: { record_id: id } };
    asking = true;
    try {
      const taken = dataOf(await service.POST("/crossings/{record_id}/claim", { params, signal: late() }));
      if (left) abandon(id);
      if (left || judged.has(id)) return;
      show(id, taken);
      later(renewal(taken));
    } catch (error) {
      if (left) {
        if (error instanceof Problem && error.passing) abandonLate(id);
        return;
      }
      if (!(error instanceof Problem)) throw error;
      if (error.status === 409) {
        heldBy.value = error.message;
        later(AGAIN_AWAY); // it comes free by itself
      } else if (error.passing) later(AGAIN_AWAY);
      else if (error.status !== 401 && error.status !== 404) report(error);
    } finally {
      asking = false;
    }
  }

  later(DWELL);
  const leavePage = () => {
    if ((asking || claim.peek()?.mine) && !judged.has(id)) void letGo(id);
  };
  // A browser may keep the page that was left, and show it again as it was.
  const comeBack = ({ persisted }: PageTransitionEvent) => {
    if (!persisted) return;
    clearTimeout(timer);
    off();
    take();
  };
  addEventListener("pagehide", leavePage);
  addEventListener("pageshow", comeBack);
  return () => {
    left = true;
    clearTimeout(timer);
    off();
    removeEventListener("pagehide", leavePage);
    removeEventListener("pageshow", comeBack);
    if (claim.peek()?.mine && !judged.has(id)) void letGo(id); // what is on its way is let go of as it comes
    held = null;
    claim.value = null;
    heldBy.value = null;
  };
}

/** Take it from whoever holds it; a supervisor may. */
export async function takeOver(id: string, reason: string): Promise<void> {
  const path = { record_id: id };
  show(
    id,
    dataOf(await service.POST("/crossings/{record_id}/claim/take-over", { params: { path }, body: { reason } })),
  );
}

/** The work on a crossing is done: the service ends the claim with the verdict. */
export function done(id: string): void {
  judged.add(id);
  if (held === id) claim.value = null;
}

export function mayHold(): boolean {
  return may("claim");
}

function show(id: string, taken: Claim): void {
  if (held === id) {
    claim.value = taken;
    heldBy.value = null;
  }
  change(id, (item) => ({ ...item, claim: taken }));
}

function renewal(taken: Claim): number {
  return Math.max(5000, ((Date.parse(taken.until) - serviceNow()) * 2) / 3);
}

/** Let go of what came too late, unless it has been opened again since: then that is what holds it. */
function abandon(id: string): void {
  if (held !== id && !judged.has(id)) void letGo(id);
}

/** The same where no answer came in time: what was asked for may be taken yet. */
function abandonLate(id: string): void {
  abandon(id);
  setTimeout(() => abandon(id), ANSWER_MS);
}

/** What fails here ends by itself, with the claim's time. */
async function letGo(id: string): Promise<void> {
  change(id, (item) => ({ ...item, claim: null }));
  await service
    .DELETE("/crossings/{record_id}/claim", { params: { path: { record_id: id } }, keepalive: true })
    .catch(() => undefined);
}
