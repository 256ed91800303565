/** What a list that was read again says anew. */

import type { Kept } from "./kept";

/** So many of a kind that came at once are news. */
const MOST_NEWS = 100;

/** Ids of those of a list, newest first, of which nobody knew; not too many of them, and none of the first reading. */
export function newsOf<T extends { readonly id: string }>(
  all: readonly T[],
  kept: Kept<T>,
  known: boolean,
): Set<string> {
  const fresh = known ? all.filter((one) => kept.get(one.id) === undefined) : [];
  return new Set(fresh.slice(0, MOST_NEWS).map((one) => one.id));
}

/** Those of a list that are not kept as they are. */
export function changedOf<T extends { readonly id: string }>(all: readonly T[], kept: Kept<T>): T[] {
  return all.filter((one) => JSON.stringify(kept.get(one.id)) !== JSON.stringify(one));
}

/** What was known and is not in a list that has all: erased, or not to be known of any more. One with `most` may not. */
export function goneOf(
  known: readonly string[],
  all: readonly { readonly id: string }[],
  most = Number.POSITIVE_INFINITY,
): string[] {
  if (all.length >= most) return [];
  const there = new Set(all.map((each) => each.id));
  return known.filter((id) => !there.has(id));
}
