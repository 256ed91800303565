/** The browser's own store, which may be full, or closed to pages: then nothing is kept, and that is said. */

import { computed, signal } from "@preact/signals";

const PREFIX = "vedette.plan.";
const failed = signal<ReadonlySet<string>>(new Set());

/** True while there is something that could not be kept. */
export const unkept = computed(() => failed.value.size > 0);

/** Keep a text over reloads, null for none. */
export function keep(name: string, text: string | null): void {
  try {
    if (text === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, text);
    if (failed.peek().has(name)) failed.value = new Set([...failed.peek()].filter((each) => each !== name));
  } catch {
    if (!failed.peek().has(name)) failed.value = new Set([...failed.peek(), name]);
  }
}

/** The text that was kept; null where there is none. */
export function kept(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}
