/** The claim on the crossing that is open: taken when it is opened, renewed while it is, let go of when it is left. */

import { signal } from "@preact/signals";
import { dataOf, service } from "../../api/client";
import { late } from "../../api/once";
import { Problem } from "../../api/problem";
import { may } from "../../app/session";
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
  // Who has gone holds nothing: a claim that is not renewed ends at its time.
  const take = () => {
    off = whenBack(() => {
      if (!judged.has(id)) going = taking();
    });
  };

  async function taking(): Promise<void> {
    const params = { path: { record_id: id } };
    try {
      const taken = dataOf(await service.POST("/crossings/{record_id}/claim", { params, signal: late() }));
      if (judged.has(id)) return;
      if (left) return void letGo(id);
      show(id, taken);
      timer = setTimeout(take, renewal(taken));
    } catch (error) {
      if (left) return;
      if (!(error instanceof Problem)) throw error;
      if (error.status === 409) {
        heldBy.value = error.message;
        timer = setTimeout(take, AGAIN_AWAY); // it comes free by itself
      } else if (error.passing) timer = setTimeout(take, AGAIN_AWAY);
      else if (error.status !== 401 && error.status !== 404) report(error);
    }
  }

  timer = setTimeout(take, DWELL);
  const leavePage = () => {
    if (claim.peek()?.mine && !judged.has(id)) void letGo(id);
  };
  addEventListener("pagehide", leavePage);
  return () => {
    left = true;
    clearTimeout(timer);
    off();
    removeEventListener("pagehide", leavePage);
    leavePage();
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
  return Math.max(5000, ((Date.parse(taken.until) - Date.now()) * 2) / 3);
}

/** What fails here ends by itself, with the claim's time. */
async function letGo(id: string): Promise<void> {
  change(id, (item) => ({ ...item, claim: null }));
  await service
    .DELETE("/crossings/{record_id}/claim", { params: { path: { record_id: id } }, keepalive: true })
    .catch(() => undefined);
}
