/** A long list of which only the beginning is read again. */

/**
 * What comes after the beginning that was read: of the list as it was, all that stood behind the last one that is in
 * both, and is not in the beginning now.
 *
 * @returns null where none is in both: what lies between is not known, and is to be read on from the beginning
 */
export function restOf<T>(before: readonly T[], read: readonly T[], id: (item: T) => string): T[] | null {
  const places = new Map(before.map((item, place) => [id(item), place]));
  const last = read.findLast((item) => places.has(id(item)));
  if (last === undefined) return null;
  const now = new Set(read.map(id));
  return before.slice((places.get(id(last)) ?? 0) + 1).filter((item) => !now.has(id(item)));
}
