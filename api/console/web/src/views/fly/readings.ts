/** Lists that are read while changes are told of: what was told meanwhile is newer than the list, or as new. */

import type { Kept } from "./kept";

export class Readings {
  readonly #open = new Set<Set<string>>();

  /** A record was told of: it has changed, or is gone. */
  tell(id: string): void {
    for (const told of this.#open) told.add(id);
  }

  /** @param read is given the ids of records that are told of from now on until it ends */
  async during<T>(read: (told: ReadonlySet<string>) => Promise<T>): Promise<T> {
    const told = new Set<string>();
    this.#open.add(told);
    try {
      return await read(told);
    } finally {
      this.#open.delete(told);
    }
  }
}

/** What a list says, but of records that were told of meanwhile what is kept of them: nothing where they are gone. */
export function asTold<T extends { readonly id: string }>(
  list: readonly T[],
  kept: Kept<T>,
  told: ReadonlySet<string>,
): T[] {
  return [...list.filter(({ id }) => !told.has(id)), ...[...told].flatMap((id) => kept.get(id) ?? [])];
}
