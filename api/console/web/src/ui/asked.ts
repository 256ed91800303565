/** What is asked of the service while something is shown, and asked again when that changes. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { follow, type Page } from "../api/client";
import { whenAttended } from "./attention";

export interface Asked<T> {
  /** The newest answer; it stays while the next is waited for, and when that fails. */
  value: T | undefined;
  failure: string | null;
  busy: boolean;
  again: () => void;
}

/** Ask, and again when one of `on` changes; an answer that was overtaken counts for nothing. */
export function useAsked<T>(ask: () => Promise<T>, on: readonly unknown[]): Asked<T> {
  const [value, setValue] = useState<T | undefined>(undefined);
  const [failure, setFailure] = useState<string | null>(null);
  const [busy, setBusy] = useState(true);
  const [turn, setTurn] = useState(0);
  const newest = useRef(0);
  const latest = useRef(ask);
  latest.current = ask;
  const again = useCallback(() => setTurn((before) => before + 1), []);
  useEffect(() => {
    newest.current += 1;
    const mine = newest.current;
    const unlessOvertaken = (act: () => void) => () => {
      if (mine === newest.current) act();
    };
    setBusy(true);
    latest.current().then(
      (answer) =>
        unlessOvertaken(() => {
          setValue(answer);
          setFailure(null);
          setBusy(false);
        })(),
      (error: unknown) =>
        unlessOvertaken(() => {
          setFailure(error instanceof Error ? error.message : String(error));
          setBusy(false);
        })(),
    );
  }, [turn, ...on]);
  useEffect(
    () => () => {
      newest.current += 1;
    },
    [],
  );
  return { value, failure, busy, again };
}

/**
 * Do it so long from now, and not while nobody looks at the page: then as soon as somebody does again.
 *
 * @returns what calls it off
 */
export function whenLookedAt(act: () => void, ms: number): () => void {
  let off: () => void = () => undefined;
  const timer = setTimeout(() => {
    off = whenAttended(act);
  }, ms);
  return () => {
    clearTimeout(timer);
    off();
  };
}

/** Ask again, so long after each answer, or after none came, while the page is looked at; with null not of itself. */
export function useAgain({ busy, again }: Pick<Asked<unknown>, "busy" | "again">, ms: number | null): void {
  useEffect(() => {
    if (busy || ms === null) return;
    return whenLookedAt(again, ms);
  }, [busy, again, ms]);
}

export interface Pages<T> extends Asked<readonly T[]> {
  /** Show the page that follows; null on the last. */
  more: (() => void) | null;
}

/**
 * Pages of a list, joined as they are asked for; all that are shown are asked for anew when one of `on` changes.
 *
 * @param step asks for the page that another names, where that is no plain list
 */
export function usePages<T>(
  first: () => Promise<Page<T[]>>,
  on: readonly unknown[],
  step: (path: string) => Promise<Page<T[]>> = follow,
): Pages<T> {
  const [shown, setShown] = useState(1);
  const asked = useAsked(async () => {
    let page = await first();
    const items = [...page.items];
    for (let number = 1; number < shown && page.next !== null; number += 1) {
      page = await step(page.next);
      items.push(...page.items);
    }
    return { items, next: page.next };
  }, [shown, ...on]);
  const more = useCallback(() => setShown((before) => before + 1), []);
  return { ...asked, value: asked.value?.items, more: asked.value?.next == null ? null : more };
}
