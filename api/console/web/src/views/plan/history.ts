/** The draft of this browser: every change can be undone, and a reload or the end of a session loses nothing. */

import { computed, effect, signal } from "@preact/signals";
import type { Draft } from "./draft";
import { readDraft } from "./kept";
import { keep, kept } from "./storage";

const NAME = "draft";
const MOST_STEPS = 200;

const found = readDraft(kept(NAME));
/** How much of the draft that was kept could not be read: to be told before it is planned with. */
export const lost = signal(found.lost);
/** The draft as it is now: change it by {@link change} alone. */
export const draft = signal<Draft>(found.draft);
const past = signal<readonly Draft[]>([]);
const future = signal<readonly Draft[]>([]);
let field = "";

export const canUndo = computed(() => past.value.length > 0);
export const canRedo = computed(() => future.value.length > 0);

effect(() => keep(NAME, JSON.stringify(draft.value)));

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
