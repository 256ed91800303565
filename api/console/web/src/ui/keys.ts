/** Keys of the page: a view names its own while it is open; all that count now are shown by `?`. */

import { signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { letters } from "../app/preferences";
import { me } from "../app/session";
import type { Word } from "../i18n";

export interface Key {
  /** As KeyboardEvent.key has it: "j", "?", "ArrowDown", " ". */
  key: string;
  /** What it does, in the list. */
  word: Word;
  act: () => void;
  /** When it counts; always without. */
  when?: () => boolean;
  /** Whether it does so again and again while it is held; once without. */
  repeats?: boolean;
}

/** Sets of keys, the latest last: it is asked first. */
export const sets = signal<readonly (readonly Key[])[]>([]);
/** Whether the list of keys is shown. */
export const helping = signal(false);

/** Whether a key does something at all: no letter and no sign does for who has switched them off. */
export function counts(key: string): boolean {
  return letters.value === "on" || key.length > 1 || key === " ";
}

/** The same key for `aria-keyshortcuts` and `title`; nothing while it does not count. */
export function shortcut(key: string): string | undefined {
  return counts(key) ? key : undefined;
}

/** Keys that count as long as the component is there. Their functions may change with each rendering. */
export function useKeys(keys: readonly Key[]): void {
  const latest = useRef(keys);
  latest.current = keys;
  const names = keys.map((each) => each.key).join(" ");
  // Before it is painted: a key that is shown, or of what is shown, counts.
  useLayoutEffect(() => {
    const held: readonly Key[] = latest.current.map((each, place) => ({
      ...each,
      act: () => latest.current[place]?.act(),
      when: () => latest.current[place]?.when?.() ?? true,
    }));
    sets.value = [...sets.peek(), held];
    return () => {
      sets.value = sets.peek().filter((each) => each !== held);
    };
  }, [names]);
}

/** Listen for keys, once for the page. None counts while nobody is logged in: the views are hidden then, not gone. */
export function listenForKeys(): void {
  addEventListener("keydown", (event) => {
    if (
      me.peek() == null ||
      event.defaultPrevented ||
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      !counts(event.key) ||
      (isTaken(event.target, event.key) && !(event.key === "?" && helping.peek()))
    )
      return;
    const found =
      event.key === "?"
        ? { act: toggleHelp, repeats: false }
        : sets
            .peek()
            .toReversed()
            .flat()
            .find((one) => one.key === event.key && one.when?.() !== false);
    if (found === undefined) return;
    event.preventDefault();
    if (!event.repeat || found.repeats === true) found.act();
  });
}

function toggleHelp(): void {
  helping.value = !helping.peek();
}

/** Whether the key belongs to what has the focus: text, a list to choose from, a button that it presses, a dialog. */
function isTaken(target: EventTarget | null, key: string): boolean {
  if (document.querySelector("dialog[open]") !== null) return true;
  if (!(target instanceof HTMLElement)) return false;
  if (
    target.isContentEditable ||
    target.matches("input:not([type=checkbox], [type=radio], [type=range]), textarea, select")
  )
    return true;
  if (key === " " || key === "Enter") return target.matches("button, a[href], summary, input, [role=button]");
  return key.startsWith("Arrow") && target.matches("input, [role=slider], .maplibregl-canvas");
}
