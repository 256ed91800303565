/**
 * Whether anybody is at the page. What a page asks for by itself is a use of the session: where nobody has touched it for
 * a while it asks no more, so that the session of somebody who went away ends at its time. What is streamed goes on.
 */

import { type ReadonlySignal, signal } from "@preact/signals";

const LOOK_MS = 10_000;
const TOUCHES = ["pointerdown", "pointermove", "keydown", "wheel", "focus"] as const;

const gone = signal(false);
const idle = signal(15 * 60_000);
let touched = 0;

/** How long nobody touches a page at which nobody is any more: half of the time that an unused session lasts. */
export const idleMs: ReadonlySignal<number> = idle;

/** @param ms how long a session lasts that is not used */
export function restWithin(ms: number): void {
  idle.value = ms / 2;
}

/** Nobody has touched the page for long. */
export const away: ReadonlySignal<boolean> = gone;

/** Begin to notice, once for the page. */
export function noticeHands(): void {
  touched = Date.now();
  for (const each of TOUCHES) addEventListener(each, touch, { capture: true, passive: true });
  document.addEventListener("visibilitychange", () => document.hidden || touch());
  setInterval(() => {
    if (Date.now() - touched >= idle.peek()) gone.value = true;
  }, LOOK_MS);
}

/** Somebody is there. */
export function touch(): void {
  touched = Date.now();
  gone.value = false;
}

/** Whether somebody may be looking at the page. */
export function isAttended(): boolean {
  return !document.hidden && !gone.peek();
}

/**
 * Do it now, or as soon as somebody touches the page again.
 *
 * @returns what calls it off
 */
export function whenBack(act: () => void): () => void {
  return when(() => !gone.peek(), act);
}

/** For each name once, however often it is asked for meanwhile: see {@link whenBack}. */
export function onceBack(act: (name: string) => void): (name: string) => void {
  const waiting = new Set<string>();
  return (name) => {
    if (waiting.has(name)) return;
    waiting.add(name);
    whenBack(() => {
      waiting.delete(name);
      act(name);
    });
  };
}

/** Do it now, or as soon as somebody looks at the page again; see {@link whenBack}. */
export function whenAttended(act: () => void): () => void {
  return when(isAttended, act);
}

function when(is: () => boolean, act: () => void): () => void {
  if (is()) {
    act();
    return () => undefined;
  }
  const look = () => {
    if (!is()) return;
    off();
    act();
  };
  document.addEventListener("visibilitychange", look);
  const end = gone.subscribe(look);
  const off = () => {
    document.removeEventListener("visibilitychange", look);
    end();
  };
  return off;
}
