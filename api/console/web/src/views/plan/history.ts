/** The draft of this browser: every change can be undone, and a reload or the end of a session loses nothing. */

import { computed, effect, signal } from "@preact/signals";
import type { Draft } from "./draft";
import { readDraft } from "./kept";

const KEPT = "vedette.plan.draft";
const MOST_STEPS = 200;

/** The draft as it is now: change it by {@link change} alone. */
export const draft = signal<Draft>(readDraft(localStorage.getItem(KEPT)));
const past = signal<readonly Draft[]>([]);
const future = signal<readonly Draft[]>([]);
let field = "";

export const canUndo = computed(() => past.value.length > 0);
export const canRedo = computed(() => future.value.length > 0);

effect(() => localStorage.setItem(KEPT, JSON.stringify(draft.value)));

/**
 * Change members of the draft.
 *
 * @param where what is changed: changes of the same field, one after the other, are undone as one; empty for one that
 *   stands alone
 */
export function change(members: Partial<Draft>, where = ""): void {
  if (where === "" || where !== field) past.value = [...past.peek(), draft.peek()].slice(-MOST_STEPS);
  field = where;
  future.value = [];
  draft.value = { ...draft.peek(), ...members };
}

/** Take the last change back. */
export function undo(): void {
  const before = past.peek().at(-1);
  if (before === undefined) return;
  future.value = [...future.peek(), draft.peek()];
  past.value = past.peek().slice(0, -1);
  field = "";
  draft.value = before;
}

/** Do again what was taken back. */
export function redo(): void {
  const after = future.peek().at(-1);
  if (after === undefined) return;
  past.value = [...past.peek(), draft.peek()];
  future.value = future.peek().slice(0, -1);
  field = "";
  draft.value = after;
}
