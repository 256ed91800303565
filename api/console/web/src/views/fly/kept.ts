import { type ReadonlySignal, signal } from "@preact/signals";

/** Records of one kind by id. What is put in is shown together by `show`: many changes cost one copy. */
export class Kept<T extends { readonly id: string }> {
  readonly #shown = signal<ReadonlyMap<string, T>>(new Map());
  #draft: Map<string, T> | null = null;

  /** All as they are shown. */
  get all(): ReadonlySignal<ReadonlyMap<string, T>> {
    return this.#shown;
  }

  /** As it was put in last, shown or not. */
  get(id: string): T | undefined {
    return (this.#draft ?? this.#shown.peek()).get(id);
  }

  /** Of all as they were put in last, shown or not. */
  get ids(): string[] {
    return [...(this.#draft ?? this.#shown.peek()).keys()];
  }

  /** Ids of those whose time, where they have one, is of that moment or later; milliseconds since the Unix epoch. */
  since(ms: number): string[] {
    const all = [...(this.#draft ?? this.#shown.peek()).values()];
    return all.filter((one) => !("time" in one) || Date.parse(String(one.time)) >= ms).map((one) => one.id);
  }

  put(one: T): void {
    this.#begun.set(one.id, one);
  }

  drop(id: string): void {
    if (this.get(id) !== undefined) this.#begun.delete(id);
  }

  /** These are all there are. */
  replace(all: readonly T[]): void {
    this.#draft = new Map(all.map((each) => [each.id, each]));
  }

  show(): void {
    if (this.#draft === null) return;
    this.#shown.value = this.#draft;
    this.#draft = null;
  }

  get #begun(): Map<string, T> {
    this.#draft ??= new Map(this.#shown.peek());
    return this.#draft;
  }
}

/** Let go of what is of before `since` (milliseconds since the Unix epoch), and of the oldest of more than `most`. */
export function prune<T extends { readonly id: string; readonly time: string }>(
  kept: Kept<T>,
  since: number,
  most: number,
): void {
  const timed = [...kept.all.peek().values()].map((one) => ({ id: one.id, ms: Date.parse(one.time) }));
  timed.sort((a, b) => b.ms - a.ms);
  for (const [i, { id, ms }] of timed.entries()) if (i >= most || ms < since) kept.drop(id);
}

/** A record was told of anew: null for one that is not to be seen any more. */
export function changed<T extends { readonly id: string }>(
  kept: Kept<T>,
  id: string,
  one: T | null,
  put: (one: T) => void = (each) => kept.put(each),
): void {
  if (one === null) kept.drop(id);
  else put(one);
}
