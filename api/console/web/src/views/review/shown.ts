/**
 * That the page has shown what a crossing is judged by: its clip, its picture, or the word that there is none. No verdict
 * is given before, so that a key that was held or pressed twice does not judge what the page opened by itself.
 */

import { signal } from "@preact/signals";

/** Nobody has looked at a picture sooner, milliseconds. */
const LOOK = 300;

/** Key of the evidence that has been on the page for so long. */
const looked = signal<string | null>(null);
let timer: ReturnType<typeof setTimeout> | undefined;

/** The evidence of that key is on the page from now on. */
export function show(key: string): void {
  clearTimeout(timer);
  timer = setTimeout(() => {
    looked.value = key;
  }, LOOK);
}

/** Nothing is on the page any more. */
export function hide(): void {
  clearTimeout(timer);
  looked.value = null;
}

/** Whether somebody can have looked at the evidence of that key. */
export function isShown(key: string): boolean {
  return looked.value === key;
}
