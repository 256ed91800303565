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
